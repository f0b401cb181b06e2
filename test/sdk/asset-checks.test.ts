import { describe, expect, test } from "vitest";
import { asset, assetCheck, assetChecks } from "@headgate/sdk";
import { materialize } from "@headgate/sdk/testing";
import { described } from "./support/described.ts";

const rows = asset({ key: "shop/rows", compute: () => [3, 1, 2] });

describe("checks that share a function", () => {
  test("are definitions of their own in the manifest, with the function's timeout", () => {
    const group = assetChecks({
      asset: rows,
      checks: {
        filled: { blocking: true, version: 2, description: "Something is there." },
        sorted: { severity: "WARN", appliesTo: "newVersions" },
      },
      timeoutMs: 5_000,
      run: (rows) => ({ filled: rows.length > 0, sorted: rows.every((row, n) => row >= (rows[n - 1] ?? row)) }),
    });
    const { checks, errors } = described({ assets: [rows], checks: [group] });
    expect(errors).toEqual({});
    expect(checks).toMatchObject({
      "shop/rows@filled": { blocking: true, version: 2, timeoutMs: 5_000, description: "Something is there." },
      "shop/rows@sorted": { blocking: false, version: 1, timeoutMs: 5_000, newVersionsOnly: true },
    });
  });

  test("that are wrong are refused by themselves, in words", () => {
    const run = () => ({}) as never;
    const { checks, errors } = described({
      assets: [rows],
      checks: [
        assetChecks({ asset: rows, checks: {}, run }),
        assetChecks({ asset: rows, checks: { "Not a name": {}, good: { blocking: true } }, run }),
        assetCheck({ asset: rows, name: "good", run: () => true }),
        assetChecks({ asset: rows, checks: { odd: 3 as never }, run }),
        assetChecks({ asset: rows, checks: { late: {} }, timeoutMs: 3_000_000_000, run }),
      ],
    });
    expect(errors["definitions.ts#checks[0]"]).toMatch(/declares no checks/);
    expect(errors["shop/rows@Not a name"]).toMatch(/definition.check_name_invalid/);
    expect(errors["shop/rows@good"]).toMatch(/definition.duplicate: /);
    expect(errors["definitions.ts#checks[3]"]).toMatch(/"odd" in "checks" of the group of checks of shop\/rows is 3/);
    expect(errors["definitions.ts#checks[4]"]).toMatch(/"timeoutMs" .*\(24 days\)/);
    expect(checks).toEqual({});
  });

  test("are judged by one call, and each gates by itself", async () => {
    let calls = 0;
    const group = assetChecks({
      asset: rows,
      checks: { filled: { blocking: true }, sorted: { blocking: true, severity: "WARN" }, forgotten: {} },
      run: (rows) => {
        calls++;
        return { filled: rows.length > 0, sorted: false } as never;
      },
    });
    const made = await materialize(rows, { checks: [group] });
    expect(calls).toBe(1);
    expect(Object.entries(made.checks).map(([name, { outcome }]) => [name, outcome])).toEqual([
      ["filled", "passed"],
      ["sorted", "warned"],
      ["forgotten", "errored"],
    ]);
    expect(made.isOpen).toBe(true);
  });

  test("have all errored where the function throws, or answers for one that is not declared", async () => {
    const throwing = assetChecks({
      asset: rows,
      checks: { a: { blocking: true }, b: {} },
      run: () => {
        throw new Error("no");
      },
    });
    const thrown = await materialize(rows, { checks: [throwing] });
    expect(thrown.isOpen).toBe(false);
    expect(thrown.checks).toMatchObject({ a: { outcome: "errored" }, b: { outcome: "errored" } });
    const strange = assetChecks({ asset: rows, checks: { a: {} }, run: () => ({ a: true, c: true }) as never });
    expect((await materialize(rows, { checks: [strange] })).checks["a"]).toMatchObject({
      outcome: "errored",
      error: { code: "check.undeclared" },
    });
  });
});
