import { expect, test } from "vitest";
import { type AssetNode, buildGraph } from "../../control-plane/src/domain/graph.ts";
import type { VersionView } from "../../control-plane/src/domain/gate.ts";
import { publicationRetryDelayMs, publicationStep, publishes } from "../../control-plane/src/domain/publication.ts";
import { resultOf, versionOf, waiverOf } from "../support/gate-versions.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

const nowMs = 1_000;
const value = { scheme: "postgres", place: "t", mediaType: "application/json", digest: "", sizeBytes: 1 };
const graph = buildGraph(
  [
    locationOf("a", [assetOf("a/table", [], { publishes: true }), assetOf("a/file")], [checkOf("a/table", "ok")]),
    locationOf("b", [], [checkOf("a/table", "theirs")]),
  ],
  new Map(),
);
const node = graph.order.find(({ key }) => key === "a/table") as AssetNode;

const made = (id: string, seq: number, more: Partial<VersionView> = {}) => versionOf(id, seq, { value, ...more });
const passed = (id: string, seq: number) => made(id, seq, { results: [resultOf("a:ok", "passed")] });
const failed = (id: string, seq: number, more = {}) =>
  made(id, seq, { results: [resultOf("a:ok", "failed")], ...more });
const known = (versionId: string | null, more: { wantedId?: string; retryAtMs?: number } = {}) => ({
  versionId,
  wantedId: versionId ?? "",
  retryAtMs: null,
  ...more,
});
const stepOf = (versions: readonly VersionView[], view?: ReturnType<typeof known>) => {
  const step = publicationStep(node, versions, view, nowMs);
  return step.kind === "publish" ? step.version.id : step.kind;
};

test("an asset publishes if its IO manager does", () => {
  expect(graph.order.filter(publishes).map(({ key }) => key)).toEqual(["a/table"]);
});

test("the newest open version is published: neither what is pending nor what failed, and no older one than need be", () => {
  expect(stepOf([])).toBe("settled");
  expect(stepOf([made("pending", 3)])).toBe("settled");
  expect(stepOf([made("pending", 3), failed("v2", 2), passed("v1", 1), passed("v0", 0)])).toBe("v1");
  expect(stepOf([passed("v2", 2), passed("v1", 1)], known("v1"))).toBe("v2");
  expect(stepOf([passed("v2", 2), passed("v1", 1)], known("v2"))).toBe("settled");
});

test("what was shown gives way to an older open one when its gate shuts or it is discarded, and stays if there is none", () => {
  expect(stepOf([failed("v2", 2), passed("v1", 1)], known("v2"))).toBe("v1");
  expect(stepOf([passed("v1", 1)], known("v2"))).toBe("v1");
  expect(stepOf([failed("v2", 2)], known("v2"))).toBe("settled");
});

test("a waiver opens the gate for readers outside too, while it lasts", () => {
  expect(stepOf([failed("v1", 1, { liveWaivers: [waiverOf("a:ok", nowMs + 1)] })])).toBe("v1");
  expect(stepOf([failed("v1", 1, { liveWaivers: [waiverOf("a:ok", nowMs)] })])).toBe("settled");
});

test("a blocking check of another team keeps nothing from readers outside", () => {
  expect(stepOf([passed("v1", 1)])).toBe("v1");
});

test("a version without a value is not published, and nothing older in its place", () => {
  expect(stepOf([{ ...passed("v2", 2), value: null }, passed("v1", 1)])).toBe("settled");
});

test("what failed waits for its time, and a newer version does not wait with it", () => {
  const view = known(null, { wantedId: "v1", retryAtMs: nowMs + 5 });
  expect(publicationStep(node, [passed("v1", 1)], view, nowMs)).toEqual({ kind: "wait", untilMs: nowMs + 5 });
  expect(stepOf([passed("v1", 1)], { ...view, retryAtMs: nowMs })).toBe("v1");
  expect(stepOf([passed("v2", 2), passed("v1", 1)], view)).toBe("v2");
  expect([1, 2, 5, 9, 100].map(publicationRetryDelayMs)).toEqual([1_000, 2_000, 16_000, 256_000, 300_000]);
});
