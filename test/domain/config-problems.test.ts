import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { configProblems } from "../../control-plane/src/domain/config-problems.ts";

const lines = (schema: unknown, config: unknown): string[] =>
  configProblems(schema, config).map(({ path, message }) => `${path}: ${message}`);

interface Exporting {
  readonly "~standard": { readonly jsonSchema: { readonly input: (options: { target: string }) => unknown } };
}
const exported = (schema: unknown): unknown =>
  (schema as Exporting)["~standard"].jsonSchema.input({ target: "draft-2020-12" });

describe("config is held against the JSON Schema that its library exports", () => {
  const good = { currency: "EUR", months: [1, 2], limit: 3 };
  const bad = { currency: "GBP", months: [1, "two"] };
  test.each([
    [
      "zod",
      z.object({
        currency: z.enum(["EUR", "USD"]).default("EUR"),
        months: z.array(z.int()),
        limit: z.number().min(1).optional(),
      }),
    ],
    [
      "valibot",
      toStandardJsonSchema(
        v.object({
          currency: v.optional(v.picklist(["EUR", "USD"]), "EUR"),
          months: v.array(v.pipe(v.number(), v.integer())),
          limit: v.optional(v.pipe(v.number(), v.minValue(1))),
        }),
      ),
    ],
    ["arktype", type({ currency: "'EUR'|'USD'='EUR'", months: "number.integer[]", "limit?": "number>=1" })],
  ])("of %s", (_name, schema) => {
    const json = exported(schema);
    expect(lines(json, good)).toEqual([]);
    expect(lines(json, { months: [] })).toEqual([]);
    expect(lines(json, bad)).toEqual([
      'currency: must be "EUR" or "USD", and is "GBP"',
      'months[1]: must be a whole number, and is "two"',
    ]);
    expect(lines(json, { limit: 0 })).toEqual(["months: is required", "limit: must be at least 1, and is 0"]);
    expect(lines(json, "text")).toEqual([': must be an object, and is "text"']);
  });

  test("in strict objects, unions, records, tuples and references", () => {
    const Node: z.ZodType = z.object({
      name: z.string().min(2),
      get children() {
        return z.array(Node).optional();
      },
    });
    const schema = exported(
      z.strictObject({
        mode: z.union([z.literal("all"), z.object({ first: z.int() })]).optional(),
        weights: z.record(z.string(), z.number()).optional(),
        pair: z.tuple([z.string(), z.boolean()]).optional(),
        tree: Node.optional(),
      }),
    );
    expect(lines(schema, { mode: { first: 1 }, weights: { a: 1 }, pair: ["a", true] })).toEqual([]);
    expect(lines(schema, { mdoe: "all" })).toEqual(["mdoe: is not known here; known: mode, weights, pair, tree"]);
    expect(lines(schema, { mode: "some" })).toEqual(["mode: is none of the 2 forms that it may have"]);
    expect(lines(schema, { weights: { a: true } })).toEqual(["weights.a: must be a number, and is true"]);
    expect(lines(schema, { pair: ["a", 3] })).toEqual(["pair[1]: must be true or false, and is 3"]);
    expect(lines(schema, { tree: { name: "root", children: [{ name: "x" }] } })).toEqual([
      "tree.children[0].name: must have at least 2 characters, and has 1",
    ]);
  });
});

describe("what is not known to be wrong is left to the location", () => {
  test("numerals where a library may coerce, patterns, words that are not known here", () => {
    const coerced = exported(z.object({ n: z.coerce.number(), day: z.iso.date() }));
    expect(lines(coerced, { n: "12", day: "tomorrow" })).toEqual([]);
    expect(lines({ type: "object", if: {}, then: false, not: {}, dependentRequired: { a: ["b"] } }, { a: 1 })).toEqual(
      [],
    );
    expect(lines({}, { anything: [1] })).toEqual([]);
    expect(lines(true, 3)).toEqual([]);
  });

  test("never refuses what zod accepts", () => {
    const schema = z.object({
      a: z.union([z.string(), z.number(), z.null()]).optional(),
      b: z
        .array(z.object({ c: z.boolean().default(false) }))
        .max(4)
        .optional(),
      d: z.enum(["x", "y"]).optional(),
    });
    const json = exported(schema);
    fc.assert(
      fc.property(
        fc.record({ a: fc.jsonValue(), b: fc.jsonValue(), d: fc.constantFrom("x", "y", "z") }, { requiredKeys: [] }),
        (config) => {
          if (schema.safeParse(config).success) expect(lines(json, config)).toEqual([]);
        },
      ),
    );
  });

  test("a schema without an end, or a value without an end, is looked at for a bounded time", () => {
    const endless = { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } };
    expect(lines(endless, { a: 1 })).toEqual([]);
    // Each level doubles what there is to look at: 2^31 places, without a bound.
    const doubling = { anyOf: [{ $ref: "#" }, { $ref: "#" }], allOf: [{ $ref: "#" }] };
    expect(lines(doubling, 1)).toEqual([]);
    const long = Array.from({ length: 1_000_000 }, () => "x");
    expect(lines({ type: "array", items: { type: "object" } }, long)).toHaveLength(10);
    expect(lines({ type: "array", items: { type: "string" } }, long)).toEqual([]);
  });
});
