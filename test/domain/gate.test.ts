import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type EdgeVerdict,
  type GateView,
  type VersionState,
  type VersionView,
  judge,
  judgeEdge,
  judgeGate,
  pinKey,
} from "../../control-plane/src/domain/gate.ts";
import {
  type AssetNode,
  type Edge,
  type Graph,
  buildGraph,
  requiredChecks,
} from "../../control-plane/src/domain/graph.ts";
import { resultOf, versionOf, viewOf, waiverOf } from "../support/gate-versions.ts";
import { type DependencyText, assetOf, checkOf, keyOf, locationOf } from "../support/graph-definitions.ts";

const nowMs = 1_000;
const noPins = new Map<string, string>();

function nodeOf(graph: Graph, key: string): AssetNode {
  const node = graph.asset(key);
  if (node === undefined) throw new Error(`${key}: ${JSON.stringify(graph.errors)}`);
  return node;
}

function edgeOf(graph: Graph, reader: string): Edge {
  const edge = nodeOf(graph, reader).upstream[0];
  if (edge === undefined) throw new Error(`${reader} reads nothing`);
  return edge;
}

// The rules by example -----------------------------------------------------------------------------------------------

describe("a version is judged by the current blocking checks", () => {
  const graph = buildGraph(
    [locationOf("a", [assetOf("a/up")], [checkOf("a/up", "one"), checkOf("a/up", "two"), checkOf("a/up", "three")])],
    new Map(),
  );
  const required = requiredChecks(nodeOf(graph, "a/up"), "a");
  const stateOf = (version: Partial<VersionView>) => judge(keyOf("a/up"), versionOf("v", 1, version), required, nowMs);
  const passes = [resultOf("a:one", "passed"), resultOf("a:two", "warned")];

  test("without any it is unchecked, and open", () => {
    expect(judge(keyOf("a/up"), versionOf("v", 1), [], nowMs)).toMatchObject({ state: "unchecked", open: true });
  });

  test("a warning passes", () => {
    expect(stateOf({ results: [...passes, resultOf("a:three", "passed")] })).toMatchObject({
      state: "passed",
      open: true,
    });
  });

  test.each<[string, Partial<VersionView>, VersionState]>([
    ["failed before errored", { results: [resultOf("a:one", "errored"), resultOf("a:two", "failed")] }, "failed"],
    ["errored before pending", { results: [resultOf("a:one", "passed"), resultOf("a:two", "errored")] }, "errored"],
    ["pending before waived", { results: passes.slice(0, 1), liveWaivers: [waiverOf("a:two", 2_000)] }, "pending"],
    ["waived before passed", { results: passes, liveWaivers: [waiverOf("a:three", 2_000)] }, "waived"],
    [
      "a waiver on failed",
      { results: [...passes, resultOf("a:three", "failed")], liveWaivers: [waiverOf("a:three", 2_000)] },
      "waived",
    ],
    [
      "a waiver on errored",
      { results: [...passes, resultOf("a:three", "errored")], liveWaivers: [waiverOf("a:three", 2_000)] },
      "waived",
    ],
    [
      "a waiver that ends now",
      { results: [...passes, resultOf("a:three", "failed")], liveWaivers: [waiverOf("a:three", 1_000)] },
      "failed",
    ],
    [
      "a waiver of another check",
      { results: [...passes, resultOf("a:three", "failed")], liveWaivers: [waiverOf("b:three", 2_000)] },
      "failed",
    ],
  ])("%s", (_, version, state) => {
    expect(stateOf(version).state).toBe(state);
  });

  test("names the versions's checks that have no result, and why it is shut", () => {
    const { missing, reasons } = stateOf({
      results: [resultOf("a:one", "failed", { id: "r1", description: "6 rows" })],
    });
    expect(missing.map((check) => check.name)).toEqual(["three", "two"]);
    expect(reasons.find((reason) => reason.kind === "checkFailed")).toEqual({
      kind: "checkFailed",
      asset: "a/up",
      partition: "",
      version: "v",
      run: "run-of-v",
      team: "a",
      check: "one",
      result: "r1",
      description: "6 rows",
      metadata: [],
    });
  });

  test("a waiver of a check that has passed is not what holds the version open", () => {
    const results = [...passes, resultOf("a:three", "passed")];
    expect(stateOf({ results, liveWaivers: [waiverOf("a:three", 2_000)] })).toMatchObject({
      state: "passed",
      waivers: [],
    });
  });
});

describe("a check whose version was raised", () => {
  const graphAt = (version: number) =>
    buildGraph([locationOf("a", [assetOf("a/up")], [checkOf("a/up", "one", { version })])], new Map());
  const judged = (version: number, results: VersionView["results"]) =>
    judge(keyOf("a/up"), versionOf("v", 1, { results }), requiredChecks(nodeOf(graphAt(version), "a/up"), "a"), nowMs);

  test("makes older versions pending for it", () => {
    expect(judged(2, [resultOf("a:one", "passed")]).state).toBe("pending");
    expect(judged(2, [resultOf("a:one", "failed")]).state).toBe("pending");
  });

  test("and taken back is judged by the result that its version has", () => {
    const results = [resultOf("a:one", "failed", { checkVersion: 2, seq: 9 }), resultOf("a:one", "passed", { seq: 3 })];
    expect(judged(1, results).state).toBe("passed");
    expect(judged(2, results).state).toBe("failed");
  });
});

describe("a check that applies to new versions", () => {
  const check = { definition: checkOf("a/up", "one", { newVersionsOnly: true }), hash: "h", firstSeenMs: 500 };
  const graph = buildGraph([locationOf("a", [assetOf("a/up")], [check])], new Map());
  const required = requiredChecks(nodeOf(graph, "a/up"), "a");

  test.each([
    [499, "unchecked"],
    [500, "pending"],
  ])("made at %i, first seen at 500: %s", (createdAtMs, state) => {
    expect(judge(keyOf("a/up"), versionOf("v", 1, { createdAtMs }), required, nowMs).state).toBe(state);
  });
});

describe("the checks of other teams", () => {
  const segments = (requiredByOwner: boolean) => [
    locationOf("a", [
      assetOf(
        "a/up",
        [],
        requiredByOwner ? { requiredChecks: [{ asset: keyOf("a/up"), team: "b", name: "fit" }] } : {},
      ),
      assetOf("a/down", ["a/up"]),
    ]),
    locationOf("b", [assetOf("b/down", ["a/up"])], [checkOf("a/up", "fit")]),
    locationOf("c", [assetOf("c/down", ["a/up"])]),
  ];
  const view = viewOf({ "a/up": [versionOf("v", 1, { results: [resultOf("b:fit", "failed")] })] });
  const kinds = (requiredByOwner: boolean) => {
    const graph = buildGraph(segments(requiredByOwner), new Map());
    return ["a/down", "b/down", "c/down"].map((key) => judgeEdge(edgeOf(graph, key), [""], view, noPins, nowMs).kind);
  };

  test("gate edges into their own team alone", () => {
    expect(kinds(false)).toEqual(["open", "closed", "open"]);
  });

  test("gate every edge where the owner requires them", () => {
    expect(kinds(true)).toEqual(["closed", "closed", "closed"]);
  });

  test("that the owner requires and nobody defines keep the version pending", () => {
    const graph = buildGraph(segments(true).slice(0, 1), new Map());
    expect(graph.errors.map((error) => error.key)).toContain("a/up");
    const verdict = judgeEdge(edgeOf(graph, "a/down"), [""], viewOf({ "a/up": [versionOf("v", 1)] }), noPins, nowMs);
    expect(verdict.kind).toBe("wait");
  });
});

describe("a strict edge", () => {
  const graph = buildGraph(
    [locationOf("a", [assetOf("a/up"), assetOf("a/down", ["a/up"])], [checkOf("a/up", "one")])],
    new Map(),
  );
  const edge = edgeOf(graph, "a/down");
  const good = versionOf("good", 1, { results: [resultOf("a:one", "passed")] });
  const pending = versionOf("pending", 2);
  const bad = versionOf("bad", 3, { results: [resultOf("a:one", "failed")] });
  const key = pinKey(keyOf("a/up"), "");
  const verdictOf = (versions: readonly VersionView[], pin?: string): EdgeVerdict =>
    judgeEdge(edge, [""], viewOf({ "a/up": versions }), pin === undefined ? noPins : new Map([[key, pin]]), nowMs);

  test("reads the newest version and nothing older", () => {
    expect(verdictOf([good])).toMatchObject({ kind: "open", versions: [{ version: { id: "good" } }] });
    expect(verdictOf([pending, good])).toMatchObject({
      kind: "wait",
      pending: [{ version: { id: "pending" }, pinned: true }],
    });
    expect(verdictOf([bad, pending, good])).toMatchObject({
      kind: "closed",
      reasons: [{ kind: "checkFailed", version: "bad" }],
    });
  });

  test("ignores a newer pending version once it waits for one", () => {
    const newer = versionOf("newer", 4);
    expect(verdictOf([newer, good], "good")).toMatchObject({ kind: "open", versions: [{ version: { id: "good" } }] });
    expect(verdictOf([newer, pending], "pending")).toMatchObject({
      kind: "wait",
      pending: [{ version: { id: "pending" } }],
    });
  });

  test("is blocked by a newer version that failed, whatever it waits for or has read", () => {
    expect(verdictOf([bad, good], "good")).toMatchObject({ kind: "closed", reasons: [{ version: "bad" }] });
    expect(verdictOf([versionOf("newest", 5), bad, pending], "pending")).toMatchObject({ kind: "closed" });
  });

  test("says that nothing was ever made, and that it does not know yet", () => {
    expect(verdictOf([])).toEqual({
      kind: "closed",
      reasons: [{ kind: "neverMaterialized", asset: "a/up", partition: "" }],
    });
    const blind: GateView = { versions: () => undefined };
    expect(judgeEdge(edge, [""], blind, noPins, nowMs)).toEqual({ kind: "unknown", asset: "a/up" });
  });

  test("carries the waivers it is open by, and those that the version inherited", () => {
    const waived = versionOf("w", 2, { liveWaivers: [waiverOf("a:one", 5_000)], waivers: ["older"] });
    expect(verdictOf([waived])).toMatchObject({ kind: "open", versions: [{ waivers: ["waiver-of-a:one", "older"] }] });
  });
});

// The rules against an oracle -----------------------------------------------------------------------------------------

const outcomes = ["passed", "warned", "failed", "errored"] as const;
const teams = ["a", "b", "c"] as const;
const checkIds = teams.flatMap((team) => [`${team}:x`, `${team}:y`]);

interface World {
  readonly graph: Graph;
  readonly reader: string;
  readonly versions: Readonly<Record<string, readonly VersionView[]>>;
  readonly pins: ReadonlyMap<string, string>;
  readonly partitions: readonly string[];
}

const resultArbitrary = fc.record({
  check: fc.constantFrom(...checkIds),
  outcome: fc.constantFrom(...outcomes),
  checkVersion: fc.integer({ min: 1, max: 2 }),
  seq: fc.integer({ min: 1, max: 99 }),
});

const versionsArbitrary = fc.array(
  fc.record({
    results: fc.array(resultArbitrary, { maxLength: 8 }),
    waivers: fc.array(fc.tuple(fc.constantFrom(...checkIds), fc.constantFrom(nowMs - 1, nowMs, nowMs + 1)), {
      maxLength: 3,
    }),
    createdAtMs: fc.integer({ min: 490, max: 510 }),
  }),
  { maxLength: 4 },
);

const worldArbitrary: fc.Arbitrary<World> = fc
  .record({
    checks: fc.dictionary(
      fc.constantFrom(...checkIds),
      fc.record({
        blocking: fc.boolean(),
        version: fc.integer({ min: 1, max: 2 }),
        newVersionsOnly: fc.boolean(),
        firstSeenMs: fc.integer({ min: 490, max: 510 }),
      }),
    ),
    listed: fc.uniqueArray(fc.constantFrom(...checkIds), { maxLength: 2 }),
    mode: fc.constantFrom("strict", "lastValidated", "orderOnly"),
    atLeast: fc.integer({ min: 0, max: 3 }),
    readerTeam: fc.constantFrom("a", "b"),
    partitions: fc.array(versionsArbitrary, { minLength: 3, maxLength: 3 }),
    pinned: fc.array(fc.option(fc.nat(3), { nil: undefined }), { minLength: 3, maxLength: 3 }),
    read: fc.subarray(["p0", "p1", "p2"]),
  })
  .map(({ checks, listed, mode, atLeast, readerTeam, partitions, pinned, read }) => {
    const space = { kind: "static", keys: ["p0", "p1", "p2"] } as const;
    const required = listed
      .filter((id) => checks[id] !== undefined)
      .map((id) => ({ asset: keyOf("a/up"), team: id.slice(0, 1), name: id.slice(2) }));
    const dependency: DependencyText = { asset: "a/up", mode: mode as "strict", mapping: { kind: "all" }, atLeast };
    const down = assetOf(`${readerTeam}/down`, [dependency]);
    const segments = teams.map((team) =>
      locationOf(
        team,
        [
          ...(team === "a" ? [assetOf("a/up", [], { partitions: space, requiredChecks: required })] : []),
          ...(team === readerTeam ? [down] : []),
        ],
        Object.entries(checks)
          .filter(([id]) => id.startsWith(team))
          .map(([id, { firstSeenMs, ...rest }]) => ({
            definition: checkOf("a/up", id.slice(2), rest),
            hash: id,
            firstSeenMs,
          })),
      ),
    );
    const versions: Record<string, readonly VersionView[]> = {};
    const pins = new Map<string, string>();
    for (const [n, list] of partitions.entries()) {
      const partition = `p${String(n)}`;
      const views = list.map(({ results, waivers, createdAtMs }, i) =>
        versionOf(`${partition}v${String(i)}`, i, {
          partition,
          createdAtMs,
          results: newestOfEach(results),
          liveWaivers: waivers.map(([check, untilMs]) => waiverOf(check, untilMs)),
        }),
      );
      versions[`a/up ${partition}`] = views.reverse();
      const pin = pinned[n];
      if (pin !== undefined) pins.set(pinKey(keyOf("a/up"), partition), `${partition}v${String(pin)}`);
    }
    return { graph: buildGraph(segments, new Map()), reader: down.key, versions, pins, partitions: read };
  });

/** As the database answers: of each check version the result with the highest sequence number. */
function newestOfEach(
  results: readonly { check: string; outcome: (typeof outcomes)[number]; checkVersion: number; seq: number }[],
) {
  const newest = new Map<string, (typeof results)[number]>();
  for (const result of results) {
    const key = `${result.check} ${String(result.checkVersion)}`;
    if ((newest.get(key)?.seq ?? 0) < result.seq) newest.set(key, result);
  }
  return [...newest.values()].map(({ check, outcome, checkVersion, seq }) =>
    resultOf(check, outcome, { checkVersion, seq }),
  );
}

/** Word by word from "The gate": states, precedence, waivers, other teams' checks. */
function oracleState(upstream: AssetNode, readerTeam: string, version: VersionView): VersionState {
  const words: string[] = [];
  for (const check of upstream.checks) {
    const isListed = upstream.definition.requiredChecks.some((r) => r.team === check.team && r.name === check.name);
    const isOfOwner = check.team === upstream.team;
    const gates = isListed || (check.definition.blocking && (isOfOwner || check.team === readerTeam));
    if (!gates) continue;
    if (check.definition.newVersionsOnly && version.createdAtMs < check.firstSeenMs) continue;
    const outcome = version.results.find(
      (r) => r.team === check.team && r.name === check.name && r.checkVersion === check.definition.version,
    )?.outcome;
    const waived = version.liveWaivers.some((w) => w.team === check.team && w.name === check.name && w.untilMs > nowMs);
    if (outcome === "passed" || outcome === "warned") words.push("passed");
    else if (waived) words.push("waived");
    else words.push(outcome ?? "pending");
  }
  if (words.length === 0) return "unchecked";
  for (const state of ["failed", "errored", "pending", "waived"] as const) if (words.includes(state)) return state;
  return "passed";
}

const opens = (state: VersionState): boolean => state === "unchecked" || state === "passed" || state === "waived";

function oracleEdge(edge: Edge, { versions, pins, partitions }: World) {
  const read: string[] = [];
  const leftOut: string[] = [];
  let waiting = 0;
  for (const partition of partitions) {
    const known = versions[`a/up ${partition}`] ?? [];
    const judged = known.map((version) => ({
      version,
      state: oracleState(edge.upstream, edge.downstream.team, version),
    }));
    const pin = judged.findIndex(({ version }) => version.id === pins.get(pinKey(edge.upstream.key, partition)));
    let subject = pin >= 0 ? judged[pin] : judged[0];
    if (edge.dependency.mode === "lastValidated") {
      if (pin < 0) subject = judged.find(({ state }) => opens(state)) ?? subject;
    } else if (pin >= 0) {
      subject = judged.slice(0, pin).find(({ state }) => state === "failed") ?? subject;
    }
    if (subject !== undefined && opens(subject.state)) read.push(subject.version.id);
    else {
      leftOut.push(partition);
      if (subject?.state === "pending") waiting++;
    }
  }
  const needed = edge.atLeast > 0 ? edge.atLeast : Math.max(partitions.length, 1);
  if (read.length >= needed) return { kind: "open", read, leftOut };
  return { kind: read.length + waiting >= needed ? "wait" : "closed" };
}

describe("against an oracle written from the text alone", () => {
  test("a version has the state that the text gives it", () => {
    fc.assert(
      fc.property(worldArbitrary, ({ graph, versions }) => {
        const up = nodeOf(graph, "a/up");
        for (const team of teams) {
          const required = requiredChecks(up, team);
          for (const version of Object.values(versions).flat()) {
            const { state, open, reasons, missing } = judge(up.key, version, required, nowMs);
            expect(state).toBe(oracleState(up, team, version));
            expect(open).toBe(opens(state));
            expect(reasons.length > 0).toBe(!open);
            expect(missing.length).toBe(reasons.filter((reason) => reason.kind === "pending").length);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("an edge reads, waits and closes as the text says", () => {
    fc.assert(
      fc.property(worldArbitrary, (world) => {
        const edge = edgeOf(world.graph, world.reader);
        const verdict = judgeEdge(edge, world.partitions, viewOf(world.versions), world.pins, nowMs);
        const expected = oracleEdge(edge, world);
        if (verdict.kind === "open") {
          expect({ kind: "open", read: verdict.versions.map((p) => p.version.id), leftOut: verdict.leftOut }).toEqual(
            expected,
          );
        } else {
          expect({ kind: verdict.kind }).toEqual(expected);
          expect("reasons" in verdict && verdict.reasons.length > 0).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("never lets through a version that is not open", () => {
    fc.assert(
      fc.property(worldArbitrary, (world) => {
        const edge = edgeOf(world.graph, world.reader);
        const verdict = judgeEdge(edge, world.partitions, viewOf(world.versions), world.pins, nowMs);
        if (verdict.kind !== "open") return;
        for (const { version } of verdict.versions) {
          expect(opens(oracleState(edge.upstream, edge.downstream.team, version))).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("the gate of a step", () => {
  const months = { kind: "static", keys: ["m1", "m2"] } as const;
  const graph = buildGraph(
    [
      locationOf(
        "a",
        [
          assetOf("a/x", [], { partitions: months }),
          assetOf("a/y"),
          assetOf("a/down", ["a/x", "a/y"], { partitions: months }),
        ],
        [checkOf("a/x", "one"), checkOf("a/y", "one")],
      ),
    ],
    new Map(),
  );
  const down = nodeOf(graph, "a/down");
  const passed = { results: [resultOf("a:one", "passed")] };
  const failed = { results: [resultOf("a:one", "failed")] };
  const gateOf = (x: Partial<VersionView>, y: Partial<VersionView>) =>
    judgeGate(
      down.upstream,
      (edge) => (edge.upstream.key === "a/x" ? ["m1"] : [""]),
      viewOf({ "a/x m1": [versionOf("x", 1, { partition: "m1", ...x })], "a/y": [versionOf("y", 1, y)] }),
      noPins,
      nowMs,
    ).kind;

  test.each([
    [passed, passed, "open"],
    [passed, {}, "wait"],
    [{}, failed, "closed"],
    [failed, passed, "closed"],
  ])("%j and %j: %s", (x, y, kind) => {
    expect(gateOf(x, y)).toBe(kind);
  });

  test("does not know while one of its edges does not", () => {
    const view: GateView = { versions: (asset) => (asset === "a/x" ? undefined : []) };
    expect(judgeGate(down.upstream, () => [""], view, noPins, nowMs)).toEqual({ kind: "unknown", assets: ["a/x"] });
  });
});
