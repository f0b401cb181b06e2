import { expect, test } from "vitest";
import { checkStepTimeoutMs } from "../../control-plane/src/domain/check-timeout.ts";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

const graph = buildGraph(
  [
    locationOf(
      "a",
      [assetOf("a/quick", [], { timeoutMs: 300 })],
      [checkOf("a/quick", "limited", { timeoutMs: 1_000 }), checkOf("a/quick", "unlimited")],
    ),
    locationOf(
      "b",
      [assetOf("b/reader", ["a/quick"])],
      [checkOf("a/quick", "long", { timeoutMs: 600_000 }), checkOf("a/quick", "endless")],
    ),
  ],
  new Map(),
);
const ofStep = (location: string, names: string[]) => checkStepTimeoutMs(graph.asset("a/quick"), location, names);
const hourMs = 3_600_000;

test("a step of checks has as long as its checks have, and the reading of the value before them", () => {
  expect(ofStep("a", ["limited"])).toBe(hourMs + 1_000 + 10_000);
  expect(ofStep("a", ["limited", "unlimited"])).toBe(hourMs + 1_000 + 300 + 20_000);
});

test("another team's check is not held to the timeout of the asset, and never runs longer than a day", () => {
  expect(ofStep("b", ["long"])).toBe(hourMs + 600_000 + 10_000);
  expect(ofStep("b", ["long", "endless"])).toBe(24 * hourMs);
  expect(ofStep("b", ["gone"])).toBe(24 * hourMs);
});
