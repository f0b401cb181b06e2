import { ESLint } from "eslint";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const eslint = new ESLint({ cwd: root });

/** The rules broken by `text` if it stood in `file`, which must exist so that it belongs to the TypeScript project. */
async function rulesBroken(file: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath: join(root, file) });
  return [...new Set(result?.messages.map(({ ruleId, message }) => ruleId ?? message))].sort();
}

const domainFile = "control-plane/src/domain/plan.ts";
const modelFile = "shared/model/src/asset-key.ts";
const storageFile = "control-plane/src/storage/database.ts";
const testFile = "test/lint/lint-rules.test.ts";

describe("the linter", () => {
  // The first text pays for the TypeScript program.
  beforeAll(() => rulesBroken(domainFile, "export {};\n"));

  it("passes a pure decision", async () => {
    expect(
      await rulesBroken(domainFile, "export const due = (nowMs: number, atMs: number) => atMs <= nowMs;\n"),
    ).toEqual([]);
  });

  it.each([
    ["reads the clock", "export const now = () => Date.now();\n"],
    ["reads the clock by a new Date", "export const now = () => new Date();\n"],
    ["rolls dice", "export const jitter = () => Math.random();\n"],
    ["waits", "export async function wait(work: Promise<void>) {\n  await work;\n}\n"],
  ])("refuses a decision that %s", async (_what, text) => {
    expect(await rulesBroken(domainFile, text)).toEqual(["no-restricted-syntax"]);
    expect(await rulesBroken(modelFile, text)).toEqual(["no-restricted-syntax"]);
  });

  it("refuses a decision that reads the environment", async () => {
    expect(await rulesBroken(domainFile, "export const home = () => process.env.HOME;\n")).toEqual([
      "no-restricted-globals",
    ]);
  });

  it("allows the clock outside the domain", async () => {
    expect(await rulesBroken(storageFile, "export const now = () => Date.now();\n")).toEqual([]);
  });

  it("refuses a switch that does not handle every kind", async () => {
    const text = `type Kind = { kind: "a" } | { kind: "b" };
export function nameOf(it: Kind): string {
  switch (it.kind) {
    case "a":
      return "A";
  }
  return "?";
}
`;
    expect(await rulesBroken(storageFile, text)).toEqual(["@typescript-eslint/switch-exhaustiveness-check"]);
  });

  it("refuses a `default` that would swallow the next kind", async () => {
    const text = `type Kind = { kind: "a" } | { kind: "b" };
export function nameOf(it: Kind): string {
  switch (it.kind) {
    case "a":
      return "A";
    default:
      return "B";
  }
}
`;
    expect(await rulesBroken(storageFile, text)).toEqual(["@typescript-eslint/switch-exhaustiveness-check"]);
  });

  it("refuses a promise that nobody waits for", async () => {
    const text = "export function start(run: () => Promise<void>): void {\n  run();\n}\n";
    expect(await rulesBroken(storageFile, text)).toEqual(["@typescript-eslint/no-floating-promises"]);
  });

  it("refuses an import of types that would load the module", async () => {
    const text = 'import { type Pool } from "pg";\nexport type P = Pool;\n';
    expect(await rulesBroken(storageFile, text)).toEqual(["@typescript-eslint/no-import-type-side-effects"]);
  });

  it("refuses printing where the product logs", async () => {
    expect(await rulesBroken(storageFile, 'console.log("started");\n')).toEqual(["no-console"]);
  });

  it("refuses a test that runs alone", async () => {
    const text = 'import { it } from "vitest";\nit.only("runs alone", () => undefined);\n';
    expect(await rulesBroken(testFile, text)).toEqual(["no-restricted-syntax"]);
  });
});
