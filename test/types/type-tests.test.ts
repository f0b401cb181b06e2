import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { typeProblems } from "../support/type-expectations.ts";

const folder = import.meta.dirname;
const typeTests = readdirSync(folder).filter((name) => name.endsWith(".test-d.ts"));

/** As if the text were a type test of this folder. */
const problemsOf = (text: string) => typeProblems(new Map([[join(folder, "planted.test-d.ts"), text]]));

describe("the SDK's types", () => {
  it("infer what the type tests state, and refuse with the messages that they announce", { timeout: 60_000 }, () => {
    expect(typeTests.length).toBeGreaterThan(0);
    const files = new Map(typeTests.map((name) => [join(folder, name), readFileSync(join(folder, name), "utf8")]));
    expect(typeProblems(files)).toEqual([]);
  });
});

describe("a type test", () => {
  it("passes when the line fails to compile with the announced message", () => {
    expect(problemsOf(`// @ts-expect-error 'string' is not assignable\nexport const n: number = "one";\n`)).toEqual([]);
  });

  it("fails when the line compiles", () => {
    expect(problemsOf(`// @ts-expect-error 'string' is not assignable\nexport const n: number = 1;\n`)).toEqual([
      expect.stringContaining(`planted.test-d.ts:1: compiles, but "'string' is not assignable" was expected`),
    ]);
  });

  it("fails when the line is refused with another message", () => {
    expect(problemsOf(`// @ts-expect-error unknown field\nexport const n: number = "one";\n`)).toEqual([
      expect.stringContaining(`does not contain "unknown field":\nType 'string' is not assignable to type 'number'.`),
    ]);
  });

  it("fails when it does not say which message it expects", () => {
    expect(problemsOf(`// @ts-expect-error\nexport const n: number = "one";\n`)).toEqual([
      expect.stringContaining("say after @ts-expect-error what the message must contain"),
    ]);
  });

  it("fails on an error that it did not announce, such as a wrong inference", () => {
    const text = `import { expectTypeOf } from "vitest";\nexpectTypeOf([1]).toEqualTypeOf<string[]>();\n`;
    expect(problemsOf(text)).toEqual([expect.stringContaining("planted.test-d.ts:2: ")]);
  });

  it("fails when it does not parse", () => {
    expect(problemsOf(`export const n = ;\n`)).toEqual([expect.stringContaining("Expression expected.")]);
  });
});
