import { describe, expect, test } from "vitest";
import { CheckReporter } from "@headgate/proto";
import { asset } from "@headgate/sdk";
import { materialize, testContext } from "@headgate/sdk/testing";
import { Redaction } from "../../shared/sdk/src/step/redaction.ts";
import { ComputedVerdicts } from "../../shared/sdk/src/step/computed-verdicts.ts";
import { described } from "./support/described.ts";

const checked = asset({
  key: "shop/checked",
  checks: { not_empty: { blocking: true, version: 2 }, tidy: { severity: "WARN", description: "No gaps." } },
  deps: {},
  compute: (_inputs, { check }) => {
    check("not_empty", false);
    check("not_empty", { passed: true, metadata: { rows: 3 } }); // of several the last counts
    check("tidy", false);
    return 3;
  },
});
const forgetful = asset({
  key: "shop/forgetful",
  checks: { seen: { blocking: true } },
  compute: () => 1,
});
const stranger = asset({
  key: "shop/stranger",
  checks: { seen: {} },
  compute: (_inputs, { check }) => check("scene" as never, true),
});

describe("a check that compute reports", () => {
  test("is a definition of its own in the manifest", () => {
    const { checks, errors } = described({
      assets: [checked, asset({ key: "shop/forgetful", checks: { Seen: {} }, compute: () => 1 })],
    });
    expect(checks["shop/checked@not_empty"]).toMatchObject({
      blocking: true,
      version: 2,
      reportedBy: CheckReporter.CHECK_REPORTER_COMPUTE,
    });
    expect(checks["shop/checked@tidy"]).toMatchObject({ blocking: false, description: "No gaps." });
    expect(errors).toEqual({ "shop/forgetful@Seen": expect.stringContaining("definition.check_name_invalid") });
  });

  test("has the verdict that was reported last, with the severity that was declared", async () => {
    const made = await materialize(checked);
    expect(made.checks["not_empty"]).toMatchObject({ outcome: "passed", metadata: { rows: 3 } });
    expect(made.checks["tidy"]).toMatchObject({ outcome: "warned", severity: "WARN" });
    expect(made.isOpen).toBe(true);
    const context = testContext(checked);
    expect(checked.compute({}, context)).toBe(3);
    expect(context.reported.checks["tidy"]).toEqual({ passed: false });
  });

  test("that compute forgets has errored, and keeps the gate shut", async () => {
    const made = await materialize(forgetful);
    expect(made.isOpen).toBe(false);
    expect(made.checks["seen"]).toMatchObject({ outcome: "errored", error: { code: "check.not_reported" } });
  });

  test("that is not declared, or is no verdict, fails compute in words", async () => {
    await expect(materialize(stranger)).rejects.toMatchObject({
      code: "step.check_undeclared",
      message: 'Compute of shop/stranger reports the check "scene", which it does not declare.',
      hint: "It declares seen.",
    });
    const verdicts = new ComputedVerdicts(checked, { codeBase: undefined, redaction: new Redaction() });
    expect(() => verdicts.check("tidy", undefined as never)).toThrow(/is neither a boolean nor/);
    expect(() => verdicts.check("constructor", true)).toThrow(/does not declare/);
    expect(verdicts.completed().map(({ name, error }) => [name, error?.code])).toEqual([
      ["not_empty", "check.not_reported"],
      ["tidy", "check.not_reported"],
    ]);
  });
});
