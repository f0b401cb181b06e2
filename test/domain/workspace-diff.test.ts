import { describe, expect, test } from "vitest";
import { buildGraph, type LocationSegment } from "../../control-plane/src/domain/graph.ts";
import type { AssetDefinition, CheckDefinition } from "../../control-plane/src/domain/definitions.ts";
import {
  definitionsSnapshot,
  type SnapshotDefinition,
  snapshotGraph,
} from "../../control-plane/src/domain/definitions-snapshot.ts";
import { isSafe, workspaceDiff } from "../../control-plane/src/domain/workspace-diff.ts";
import { deployedSnapshot } from "../../control-plane/src/processes/deployed-snapshot.ts";
import { assetOf, checkOf, lastGood, locationOf, retired } from "../support/graph-definitions.ts";

const graphOf = (...segments: LocationSegment[]) => buildGraph(segments, new Map(), { established: () => true });

/** What changes between two forms of one team's definitions, while team `b` reads and checks `a/x`. */
function between(before: readonly AssetDefinition[], after: readonly AssetDefinition[]) {
  const reader = locationOf("b", [assetOf("b/reader", ["a/x"])], [checkOf("a/x", "sane")]);
  const gone = before.filter(({ key }) => !after.some((other) => other.key === key));
  return workspaceDiff(
    graphOf(locationOf("a", before), reader),
    graphOf(locationOf("a", [...after, ...gone.map((definition) => retired(definition))]), reader),
  );
}

function betweenChecks(
  before: readonly CheckDefinition[],
  after: readonly CheckDefinition[],
  required: [string[], string[]] = [[], []],
) {
  const [was, is] = required.map((names) => [
    assetOf("a/x", [], { requiredChecks: names.map((name) => ({ asset: assetOf("a/x").key, team: "b", name })) }),
  ]);
  const reader = locationOf("b", [assetOf("b/reader", ["a/x"])], [checkOf("a/x", "sane")]);
  return workspaceDiff(
    graphOf(locationOf("a", was ?? [], before), reader),
    graphOf(locationOf("a", is ?? [], after), reader),
  ).checks;
}

describe("a diff of two workspaces", () => {
  test("is empty and safe between equal definitions, wherever they stand in their files", () => {
    const diff = between([assetOf("a/x")], [{ ...assetOf("a/x"), source: { file: "moved.ts", line: 99 } }]);
    expect(diff).toEqual({
      added: [],
      removed: [],
      unexported: [],
      changed: [],
      refused: [],
      checks: { added: [], removed: [], weakened: [], strengthened: [] },
      schedules: { added: [], removed: [], changed: [] },
    });
    expect(isSafe(diff)).toBe(true);
  });

  test("names what is added and removed, and who still uses what is removed", () => {
    const partitions = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001" } as const;
    const mapping = { kind: "window", startOffset: -1, endOffset: -1 } as const;
    const itself = assetOf("a/unread", [{ asset: "a/unread", mapping }], { partitions });
    const diff = between([assetOf("a/x"), itself], [assetOf("a/new")]);
    expect(diff.added).toEqual([{ key: "a/new", team: "a", location: "a" }]);
    expect(diff.removed).toEqual([
      { key: "a/unread", team: "a", location: "a", consumers: [] },
      {
        key: "a/x",
        team: "a",
        location: "a",
        consumers: [
          { kind: "asset", key: "b/reader", team: "b" },
          { kind: "check", key: "sane", team: "b" },
        ],
      },
    ]);
    expect(isSafe(diff)).toBe(false);
    expect(isSafe(between([assetOf("a/x")], [assetOf("a/x"), assetOf("a/new")]))).toBe(true);
  });

  test("tells an asset that took over the history of another key as renamed: nothing is removed", () => {
    const check = (key: string) => checkOf(key, "rows");
    const renamed = assetOf("a/y", [], { formerly: assetOf("a/x").key });
    const diff = workspaceDiff(
      graphOf(locationOf("a", [assetOf("a/x")], [check("a/x")])),
      graphOf(locationOf("a", [renamed, retired(assetOf("a/x"))], [check("a/y")])),
    );
    expect(diff).toMatchObject({ added: [], removed: [], refused: [] });
    expect(diff.changed).toMatchObject([{ key: "a/y", changes: [{ aspect: "key", text: "renamed from a/x" }] }]);
    expect(diff.checks).toEqual({ added: [], removed: [], weakened: [], strengthened: [] });
    expect(isSafe(diff)).toBe(true);
  });

  test("names the consumers that lose an export, and not those that keep it", () => {
    const consumers = [
      { kind: "asset", key: "b/reader", team: "b" },
      { kind: "check", key: "sane", team: "b" },
    ];
    const to = (...exportTo: string[]) => [assetOf("a/x", [], { export: false, exportTo })];
    expect(between([assetOf("a/x")], to()).unexported).toMatchObject([
      { key: "a/x", before: "every team", after: "no other team", consumers },
    ]);
    expect(between(to("b", "c"), to("c")).unexported).toMatchObject([{ before: "b, c", after: "c", consumers }]);
    expect(between([assetOf("a/x")], to("b")).unexported).toMatchObject([{ after: "b", consumers: [] }]);
    expect(between(to("b"), to("b", "c")).unexported).toEqual([]);
    expect(between(to("b"), [assetOf("a/x")]).unexported).toEqual([]);
  });

  test.each([
    ["code", {}, { codeVersion: "2" }, "code version 1 → 2"],
    ["dependency", {}, { dependencies: assetOf("a/y", ["a/z"]).dependencies }, 'reads a/z as "input_0" (strict)'],
    ["partitions", {}, { partitions: { kind: "static", keys: ["p"] } }, "partitions: none → p"],
    ["timeoutMs", {}, { timeoutMs: 5 }, "timeoutMs: 0 → 5"],
    ["configSchema", {}, { configSchema: { type: "object", title: "x".repeat(100) } }, "configSchema"],
    // A field that this version does not know.
    ["published", {}, { published: true }, "published: none → true"],
  ])("says what changed about an asset: %s", (aspect, was, is, text) => {
    const others = [assetOf("a/x"), assetOf("a/z")];
    const diff = between(
      [...others, { ...assetOf("a/y"), ...was }],
      [...others, { ...assetOf("a/y"), ...is } as AssetDefinition],
    );
    expect(diff.changed).toEqual([
      { key: "a/y", team: "a", location: "a", changes: [{ aspect, text, weakens: false }] },
    ]);
    expect(isSafe(diff)).toBe(true);
  });

  test.each([
    ["strict", "lastValidated", true],
    ["lastValidated", "orderOnly", true],
    ["orderOnly", "strict", false],
  ] as const)("an edge that goes from %s to %s: weaker is %s", (was, is, weaker) => {
    const y = (mode: "strict" | "lastValidated" | "orderOnly") => assetOf("a/y", [{ asset: "a/x", mode }]);
    const diff = between([assetOf("a/x"), y(was)], [assetOf("a/x"), y(is)]);
    expect(diff.changed.map(({ changes }) => changes.map(({ weakens }) => weakens))).toEqual([[weaker]]);
    expect(isSafe(diff)).toBe(!weaker);
  });

  test("an edge that requires fewer partitions is weaker", () => {
    const keys = { partitions: { kind: "static" as const, keys: ["p", "q", "r"] } };
    const y = (atLeast: number) => assetOf("a/y", [{ asset: "a/x", mapping: { kind: "all" }, atLeast }]);
    const change = (was: number, is: number) =>
      between([assetOf("a/x", [], keys), y(was)], [assetOf("a/x", [], keys), y(is)]).changed[0]?.changes[0];
    expect(change(0, 2)).toMatchObject({ text: "requires of a/x: every → at least 2", weakens: true });
    expect(change(1, 2)).toMatchObject({ weakens: false });
  });

  const check = (rest: Partial<CheckDefinition> = {}) => checkOf("a/x", "rows", rest);
  test.each([
    ["removed", [check()], [], ""],
    ["removed", [check({ blocking: false })], [], ""],
    ["added", [], [check()], ""],
    ["weakened", [check()], [check({ blocking: false })], "blocking → not blocking"],
    ["weakened", [check()], [check({ newVersionsOnly: true })], "now spares older versions"],
    ["weakened", [check()], [check({ blocking: false, version: 2 })], "blocking → not blocking"],
    ["strengthened", [check({ blocking: false })], [check()], "not blocking → blocking"],
    ["strengthened", [check({ newVersionsOnly: true })], [check()], "no longer spares older versions"],
    ["strengthened", [check()], [check({ version: 2 })], "version 1 → 2: older versions are to be checked again"],
  ] as const)("a check that is %s is told so, with how", (kind, before, after, text) => {
    const changes = betweenChecks(before, after);
    expect(changes[kind].map(({ name, texts }) => [name, texts[0] ?? ""])).toEqual([["rows", text]]);
    expect(Object.values(changes).flat()).toHaveLength(1);
  });

  test("a check of another team that the owner no longer requires is weakened, though its team left it as it was", () => {
    expect(betweenChecks([], [], [["sane"], []]).weakened).toMatchObject([
      { asset: "a/x", team: "b", name: "sane", texts: ["no longer required by the owner of the asset"] },
    ]);
    expect(betweenChecks([], [], [[], ["sane"]]).strengthened).toHaveLength(1);
  });

  test("a definition that no longer loads is refused and not removed, and its check goes on gating", () => {
    const error = { code: "definition.invalid", message: "it is wrong", hint: "mend it" };
    const diff = workspaceDiff(
      graphOf(locationOf("a", [assetOf("a/x")], [checkOf("a/x", "rows")])),
      graphOf(locationOf("a", [lastGood(assetOf("a/x"), error)], [lastGood(checkOf("a/x", "rows"), error)])),
    );
    expect(diff.refused).toMatchObject([
      { key: "a/x", kind: "asset", served: true },
      { key: "a/x@rows", kind: "check", served: true },
    ]);
    expect([diff.removed, diff.checks.removed, diff.checks.weakened]).toEqual([[], [], []]);
    expect(isSafe(diff)).toBe(false);
  });
});

describe("a snapshot", () => {
  const asset = (definition: AssetDefinition): SnapshotDefinition => ({
    kind: "asset",
    key: definition.key,
    hash: JSON.stringify(definition),
    definition,
  });
  const a = { name: "a", team: "a", definitions: [asset(assetOf("a/x")), asset(assetOf("a/w"))] };
  const b = { name: "b", team: "b", definitions: [asset(assetOf("b/reader", ["a/x"]))] };

  test("is the same for the same definitions in whatever order they come", () => {
    const mixed = { ...a, definitions: [...a.definitions].reverse() };
    expect(JSON.stringify(definitionsSnapshot({ locations: [b, mixed] }))).toBe(
      JSON.stringify(definitionsSnapshot({ locations: [a, b] })),
    );
  });

  const diffOf = (local: (typeof a)[], complete: boolean) => {
    const before = definitionsSnapshot({ locations: [a, b] });
    const graph = snapshotGraph(before);
    return workspaceDiff(graph, snapshotGraph(deployedSnapshot(before, graph, local, complete)));
  };

  test("deployed over another keeps what vanished for its readers, as the control plane does", () => {
    const { removed, refused } = diffOf([{ ...a, definitions: [asset(assetOf("a/w"))] }, b], true);
    expect(removed).toMatchObject([{ key: "a/x", consumers: [{ key: "b/reader" }] }]);
    expect(refused).toEqual([]);
  });

  test("takes a location that was not asked for as it was, unless all were", () => {
    expect(diffOf([a], false)).toMatchObject({ removed: [], added: [], refused: [] });
    expect(diffOf([a], true).removed.map(({ key }) => key)).toEqual(["b/reader"]);
  });

  test("refuses a key that another location takes: it stays with the one that had it", () => {
    const thief = { name: "c", team: "a", definitions: [asset(assetOf("a/x"))] };
    const { refused } = diffOf([{ ...a, definitions: [asset(assetOf("a/w"))] }, thief, b], true);
    expect(refused).toMatchObject([{ key: "a/x", location: "c", code: "definition.owned_by_another_location" }]);
  });

  test("of a location that cannot be asked keeps what it defined, and says that it is not known", () => {
    const error = { code: "location.unreachable", message: "nothing answers", hint: "start it" };
    const { removed, refused } = diffOf([{ ...a, definitions: [{ kind: "module", key: "a", error }] }, b], true);
    expect(removed).toEqual([]);
    expect(refused.map(({ key }) => key)).toEqual(["a", "a/w", "a/x"]);
  });
});
