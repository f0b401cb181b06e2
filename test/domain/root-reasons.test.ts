import { describe, expect, test } from "vitest";
import type { GateView } from "../../control-plane/src/domain/gate.ts";
import { type AssetNode, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { ancestors, rootReasons, why } from "../../control-plane/src/domain/root-reasons.ts";
import { resultOf, versionOf, viewOf } from "../support/gate-versions.ts";
import { assetOf, checkOf, keyOf, locationOf } from "../support/graph-definitions.ts";

const nowMs = 1_000;
const graph = buildGraph(
  [
    locationOf(
      "a",
      [
        assetOf("a/raw"),
        assetOf("a/clean", ["a/raw"]),
        assetOf("a/other"),
        assetOf("a/report", ["a/clean", "a/other"]),
        assetOf("a/summary", ["a/report", "a/clean"]),
      ],
      [checkOf("a/raw", "enough"), checkOf("a/raw", "fresh")],
    ),
    locationOf("b", [assetOf("b/reader", ["a/raw"])], [checkOf("a/raw", "enough")]),
  ],
  new Map(),
);
const node = (key: string): AssetNode => graph.asset(key) as AssetNode;
const whyOf = (key: string, view: GateView) =>
  why(graph, node(key), "", view, nowMs).map((reason) => [
    reason.kind,
    reason.asset,
    ...("check" in reason ? [`${reason.team}:${reason.check}`] : []),
  ]);
const shut = versionOf("v", 1, { results: [resultOf("a:enough", "failed"), resultOf("a:fresh", "errored")] });

describe("why", () => {
  test("follows what was never made to the checks that shut, each once, however many ways lead there", () => {
    const view = viewOf({ "a/raw": [shut], "a/other": [versionOf("o", 2)] });
    const roots = [
      ["checkFailed", "a/raw", "a:enough"],
      ["checkErrored", "a/raw", "a:fresh"],
    ];
    expect(whyOf("a/clean", view)).toEqual(roots);
    expect(whyOf("a/report", view)).toEqual(roots);
    expect(whyOf("a/summary", view)).toEqual(roots);
  });

  test("stops at what nothing shuts: it only was never made", () => {
    const open = versionOf("v", 1, { results: [resultOf("a:enough", "passed"), resultOf("a:fresh", "passed")] });
    expect(whyOf("a/report", viewOf({ "a/raw": [open] }))).toEqual([
      ["neverMaterialized", "a/clean"],
      ["neverMaterialized", "a/other"],
    ]);
  });

  test("names the versions that wait for checks", () => {
    const pending = versionOf("v", 1, { results: [resultOf("a:enough", "passed")] });
    expect(whyOf("a/clean", viewOf({ "a/raw": [pending] }))).toEqual([["pending", "a/raw", "a:fresh"]]);
  });

  test("is empty where the gate is open", () => {
    expect(whyOf("a/raw", viewOf({}))).toEqual([]);
  });

  test("keeps checks of the same name apart by their team", () => {
    const results = [resultOf("a:enough", "failed"), resultOf("b:enough", "failed"), resultOf("a:fresh", "passed")];
    expect(whyOf("b/reader", viewOf({ "a/raw": [versionOf("v", 1, { results })] }))).toEqual([
      ["checkFailed", "a/raw", "a:enough"],
      ["checkFailed", "a/raw", "b:enough"],
    ]);
  });
});

test("what must be known first is said, and nothing is guessed", () => {
  const view: GateView = { versions: (asset) => (asset === "a/raw" ? undefined : []) };
  const reasons = [{ kind: "neverMaterialized", asset: keyOf("a/clean"), partition: "" }] as const;
  expect(rootReasons(graph, reasons, view, nowMs)).toEqual({ kind: "unknown", assets: ["a/raw"] });
});

test("ancestors are the assets themselves and all upstream of them", () => {
  expect(
    ancestors([node("a/report")])
      .map(({ key }) => key)
      .sort(),
  ).toEqual(["a/clean", "a/other", "a/raw", "a/report"]);
});
