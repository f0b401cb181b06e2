import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { asset } from "@headgate/sdk";
import { materialize } from "@headgate/sdk/testing";
import { described } from "./support/described.ts";

/* Any Standard Schema validates values and config: shown with the libraries themselves. */

const rows = [{ id: "a", cents: 5 }];
const wrong = [
  { id: "a", cents: 5 },
  { id: "b", cents: "two" },
] as never;

const valueSchemas = {
  zod: z.array(z.object({ id: z.string(), cents: z.int() })),
  valibot: v.array(v.object({ id: v.string(), cents: v.pipe(v.number(), v.integer()) })),
  arktype: type({ id: "string", cents: "number.integer" }).array(),
};

describe.each(Object.entries(valueSchemas))("a value schema of %s", (_name, value) => {
  test("lets through what fits, and names the place of what does not", async () => {
    const good = asset({ key: "shop/good", value, compute: () => rows });
    expect((await materialize(good)).value).toEqual(rows);
    const bad = asset({ key: "shop/bad", value, compute: () => wrong });
    await expect(materialize(bad)).rejects.toMatchObject({
      code: "step.value_invalid",
      message: expect.stringMatching(/^The value of shop\/bad does not match its schema\. at \[1\]\.cents: /),
    });
    expect(described({ assets: [good] }).errors).toEqual({});
  });
});

const configs = {
  zod: z.object({ currency: z.enum(["EUR", "USD"]).default("EUR"), days: z.string().transform(Number) }),
  valibot: v.object({
    currency: v.optional(v.picklist(["EUR", "USD"]), "EUR"),
    days: v.pipe(v.string(), v.transform(Number)),
  }),
  arktype: type({ currency: "'EUR'|'USD'='EUR'", days: "string.numeric.parse" }),
};

describe.each(Object.entries(configs))("a config schema of %s", (_name, config) => {
  const priced = asset({ key: "shop/priced", config, compute: (_inputs, context) => context.config as unknown });

  test("has its defaults and transforms applied", async () => {
    const made = await materialize(priced, { config: { days: "7" } });
    expect(made.value).toEqual({ currency: "EUR", days: 7 });
  });

  test("names the place of what does not fit", async () => {
    await expect(materialize(priced, { config: { days: "7", currency: "GBP" as never } })).rejects.toMatchObject({
      code: "step.config_invalid",
      message: expect.stringMatching(/The config for shop\/priced does not match its schema\. at currency: /),
    });
  });
});

describe("the JSON Schema of the config goes into the manifest", () => {
  const schemaOf = (config: unknown): unknown => {
    const definition = asset({ key: "shop/priced", config: config as never, compute: () => 1 });
    return JSON.parse(described({ assets: [definition] }).assets["shop/priced"]?.configSchema ?? "");
  };

  test.each([
    ["zod", configs.zod],
    ["arktype", configs.arktype],
    ["valibot, by @valibot/to-json-schema", toStandardJsonSchema(configs.valibot)],
  ])("as %s exports it: of what is given, before transforms", (_name, config) => {
    expect(schemaOf(config)).toMatchObject({
      type: "object",
      properties: { currency: { enum: ["EUR", "USD"] }, days: { type: "string" } },
      required: ["days"],
    });
  });

  test("as one that takes anything where the library exports none, or cannot say it", () => {
    expect(schemaOf(configs.valibot)).toEqual({});
    expect(schemaOf(z.object({ since: z.date() }))).toEqual({});
  });
});

describe("a validator that has to wait", () => {
  const known = async (id: string): Promise<boolean> => Promise.resolve(id === "a");
  test.each([
    ["zod", z.object({ id: z.string().refine(known, "is not known") })],
    ["valibot", v.objectAsync({ id: v.pipeAsync(v.string(), v.checkAsync(known, "is not known")) })],
  ])("of %s is waited for, in values and in config", async (_name, schema) => {
    const make = (id: string) => asset({ key: "shop/waits", value: schema, config: schema, compute: () => ({ id }) });
    expect((await materialize(make("a"), { config: { id: "a" } })).value).toEqual({ id: "a" });
    await expect(materialize(make("b"), { config: { id: "a" } })).rejects.toThrow(/at id: is not known/);
    await expect(materialize(make("a"), { config: { id: "b" } })).rejects.toMatchObject({
      code: "step.config_invalid",
    });
  });
});
