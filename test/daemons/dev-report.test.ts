import { expect, it } from "vitest";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { definitionsLine, lineOf } from "../../control-plane/src/processes/dev-report.ts";
import { assetOf, lastGood, locationOf, retired } from "../support/graph-definitions.ts";

it("tells once what one mend would cure, and how many definitions wait for it", () => {
  const held = { code: "definition.module_failed", message: "not loaded", hint: "Mend a.ts first" };
  const source = { file: "a.ts", line: 3 };
  const assets = ["a", "b", "c", "d", "e"].map((name) => lastGood(assetOf(`shop/${name}`), { ...held, source }));
  const other = lastGood(assetOf("shop/other"), { code: "definition.invalid", message: "no compute", hint: "add one" });
  expect(definitionsLine("shop", buildGraph([locationOf("shop", [...assets, other])], new Map())).split("\n")).toEqual([
    "● shop: 6 assets, 0 checks",
    "  refused: shop/a (a.ts:3): not loaded",
    "    Mend a.ts first",
    "    So are 4 more, for the same reason: shop/b, shop/c, shop/d, …",
    "  refused: shop/other: no compute",
    "    add one",
  ]);
});

it("tells who reads what is retired", () => {
  const graph = buildGraph(
    [locationOf("shop", [retired(assetOf("shop/a"))]), locationOf("news", [assetOf("news/r", ["shop/a"])])],
    new Map(),
  );
  expect(definitionsLine("news", graph).split("\n")).toEqual([
    "● news: 1 asset, 0 checks",
    "  warning: news/r: news/r reads shop/a, which team shop no longer defines. Its stored versions still serve, but no new one will be made.",
    "    Stop reading shop/a, or ask team shop to define it again.",
  ]);
});

it("tells of a save what it changed and how long it took to be live", () => {
  const graph = buildGraph([locationOf("shop", [assetOf("shop/a"), assetOf("shop/b")])], new Map());
  const payload = { added: ["shop/b", "shop/b@rows"], changed: ["shop/a"], removed: [] };
  const line = (savedAtMs: number | undefined) => definitionsLine("shop", graph, { payload, savedAtMs, nowMs: 1_412 });
  expect(line(1_000)).toBe("● shop: 2 assets, 0 checks: +1 −0 ~1 assets, live 412 ms after the save");
  expect(line(undefined)).toBe("● shop: 2 assets, 0 checks: +1 −0 ~1 assets");
});

it("tells of ticks: what they launched, what was missed, and why one failed", () => {
  const event = (kind: string, payload: Record<string, unknown>) =>
    lineOf({ kind, payload: { automation: "shop/nightly", ...payload } } as never);
  expect(event("tick_launched", { runCount: 2 })).toBe("● tick        shop/nightly: 2 runs");
  expect(event("tick_missed", { missedCount: 1 })).toBe("● missed      shop/nightly: 1 tick, since nobody was there");
  expect(event("tick_failed", { error: { message: "No asset shop/x is defined." } })).toBe(
    "✕ tick failed shop/nightly: No asset shop/x is defined.",
  );
  expect(event("tick_skipped", { reason: "nothing to do" })).toBeUndefined();
});
