import { describe, expect, test } from "vitest";
import { decideReport, decideResult } from "../../control-plane/src/domain/external-report.ts";
import { judgeGate } from "../../control-plane/src/domain/gate.ts";
import { type AssetNode, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { plan } from "../../control-plane/src/domain/plan.ts";
import { planChecks } from "../../control-plane/src/domain/plan-checks.ts";
import { reasonText, remedies } from "../../control-plane/src/domain/reason-text.ts";
import { resultOf, versionOf, viewOf } from "../support/gate-versions.ts";
import { assetOf, checkOf, locationOf, retired } from "../support/graph-definitions.ts";

const external = { external: { unversioned: false, hasValue: false } };
const nowMs = Date.UTC(2026, 0, 1);

const graph = buildGraph(
  [
    locationOf(
      "a",
      [
        assetOf("a/export", [], external),
        assetOf("a/table", [], { external: { unversioned: false, hasValue: true } }),
        assetOf("a/lake", [], { external: { unversioned: true, hasValue: false } }),
        assetOf("a/guarded_lake", [], { external: { unversioned: true, hasValue: false } }),
        assetOf("a/computed", ["a/export"]),
        assetOf("a/reader", ["a/lake", "a/guarded_lake"]),
        retired(assetOf("a/old", [], external)),
        assetOf("a/old_reader", ["a/old"]),
      ],
      [
        checkOf("a/export", "run_here"),
        checkOf("a/export", "told", { reportedBy: "api" }),
        checkOf("a/computed", "self", { reportedBy: "compute" }),
        checkOf("a/guarded_lake", "fresh"),
      ],
    ),
  ],
  new Map(),
);

function node(key: string): AssetNode {
  const found = graph.asset(key);
  if (found === undefined) throw new Error(`no ${key}`);
  return found;
}

const observed = (dataVersion?: string) => ({ kind: "observation", dataVersion, hasValue: false }) as const;
const made = (hasValue = false) => ({ kind: "materialization", dataVersion: "v1", hasValue }) as const;
const newest = versionOf("version-1", 1, { dataVersion: "v1", runId: null });

describe("a report", () => {
  test("of a materialization is a version each time, also with the data version of the newest", () => {
    expect(decideReport(node("a/export"), made(), newest)).toEqual({ kind: "version", dataVersion: "v1" });
  });

  test("of an observation is a version only if its data version is another one than the newest's", () => {
    expect(decideReport(node("a/export"), observed("v1"), newest)).toMatchObject({ kind: "known", recheck: false });
    expect(decideReport(node("a/export"), observed("v2"), newest)).toEqual({ kind: "version", dataVersion: "v2" });
    expect(decideReport(node("a/export"), observed("v1"), undefined)).toEqual({ kind: "version", dataVersion: "v1" });
  });

  test("of an unversioned asset is its one version, checked again each time", () => {
    expect(decideReport(node("a/lake"), observed(), undefined)).toMatchObject({ kind: "version" });
    expect(decideReport(node("a/lake"), observed(), newest)).toEqual({ kind: "known", version: newest, recheck: true });
  });

  test.each([
    ["a/computed", made(), "asset.not_external"],
    ["a/old", made(), "asset.retired"],
    ["a/lake", made(), "asset.unversioned"],
    ["a/lake", observed("v1"), "asset.unversioned"],
    ["a/export", observed(), "report.data_version_required"],
    ["a/table", made(), "report.value_required"],
    ["a/table", observed("v2"), "report.value_required"],
  ])("of %s, %j, is refused as %s", (key, report, code) => {
    const decision = decideReport(node(key), report, newest);
    expect(decision).toMatchObject({ kind: "refused", code });
    if (decision.kind === "refused") expect(decision.hint).not.toBe("");
  });

  test("of a result is for checks alone that are declared as reported, of external assets", () => {
    expect(decideResult(node("a/export"), "a", "told")).toMatchObject({ kind: "accepted" });
    expect(decideResult(node("a/export"), "a", "run_here")).toMatchObject({ code: "check.not_reported" });
    expect(decideResult(node("a/export"), "b", "told")).toMatchObject({ code: "check.unknown" });
    expect(decideResult(node("a/computed"), "a", "self")).toMatchObject({ code: "asset.not_external" });
  });
});

describe("a plan", () => {
  const nothing = viewOf({});
  const refusal = (selection: string) => {
    const result = plan(graph, { selection }, nothing, nowMs);
    return result.ok ? undefined : result;
  };

  test("leaves external assets of the selection out, and names them", () => {
    const result = plan(graph, { selection: "a/export or a/computed" }, nothing, nowMs);
    if (!result.ok) throw new Error(result.message);
    expect(result.plan.steps.map((step) => step.asset)).toEqual(["a/computed"]);
    expect(result.plan.leftOut).toEqual(["a/export"]);
    expect(result.plan.steps[0]?.forecast).toMatchObject({
      kind: "blocked",
      reasons: [{ kind: "neverMaterialized", asset: "a/export", external: true }],
    });
  });

  test("of external assets alone is refused", () => {
    expect(refusal("a/export")).toMatchObject({ code: "asset.external" });
    expect(refusal("a/export or a/lake")?.message).toContain("Every asset");
  });

  test("of checks runs those that can be run, and says of the others who reports them", () => {
    const version = versionOf("version-1", 1, { runId: null });
    const view = viewOf({ "a/export": [version], "a/computed": [version] });
    const run = (asset: string, check?: string) =>
      planChecks(graph, { asset, ...(check === undefined ? {} : { check }) }, view, nowMs);
    const all = run("a/export");
    expect(all.ok && all.plan.steps.map((step) => step.checks)).toEqual([["run_here"]]);
    expect(run("a/export", "told")).toMatchObject({ code: "check.not_runnable" });
    expect(run("a/computed")).toMatchObject({
      code: "check.not_runnable",
      hint: expect.stringContaining("materialize"),
    });
  });
});

describe("the gate", () => {
  const verdict = (reader: string, versions: Parameters<typeof viewOf>[0]) =>
    judgeGate(node(reader).upstream, () => [""], viewOf(versions), new Map(), nowMs);

  test("of an unversioned asset that no check guards is open without a version", () => {
    const view = {
      "a/guarded_lake": [versionOf("version-2", 2, { runId: null, results: [resultOf("a:fresh", "passed")] })],
    };
    const open = verdict("a/reader", view);
    expect(open.kind).toBe("open");
    if (open.kind === "open") expect(open.edges.map((edge) => edge.versions.length)).toEqual([0, 1]);
  });

  test("of an unversioned asset that a check guards stays shut until it was observed and has passed", () => {
    expect(verdict("a/reader", {})).toMatchObject({ kind: "closed", reasons: [{ asset: "a/guarded_lake" }] });
    const pending = verdict("a/reader", { "a/guarded_lake": [versionOf("version-2", 2, { runId: null })] });
    expect(pending).toMatchObject({ kind: "wait" });
  });
});

describe("remedies", () => {
  const about = { asset: node("a/export").key, partition: "", external: true as const, version: "v", team: "a" };

  test("of a reported version speak of reports: there is no run to look at, and nothing to materialize", () => {
    const commands = remedies([
      { kind: "neverMaterialized", asset: about.asset, partition: "", external: true },
      { kind: "checkFailed", ...about, check: "run_here", result: "r", description: "", metadata: [] },
      { kind: "pending", ...about, check: "told", reportedBy: "api" },
    ]).map((remedy) => remedy.command);
    expect(commands[0]).toBe("npx headgate asset report a/export");
    expect(commands.join("\n")).not.toMatch(/materialize|run logs|check run a/);
    expect(commands.join("\n")).toContain("check report a/export told --version v");
  });

  test("come with words that say who is waited for", () => {
    const pending = { kind: "pending", ...about, check: "told" } as const;
    expect(reasonText({ ...pending, reportedBy: "api" })).toBe("a/export: check told has not been reported yet");
    expect(reasonText(pending)).toBe("a/export: check told has not ended yet");
  });

  test("of a check that compute reports say to materialize again", () => {
    const pending = { kind: "checkErrored", ...about, check: "self", reportedBy: "compute", result: "r" } as const;
    const commands = remedies([{ ...pending, description: "" }]).map((remedy) => remedy.command);
    expect(commands[0]).toBe("npx headgate materialize a/export");
  });
});
