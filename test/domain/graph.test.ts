import { describe, expect, it } from "vitest";
import {
  buildGraph,
  requiredChecks,
  type AssetOwners,
  type Graph,
  type GraphOptions,
  type LocationSegment,
} from "../../control-plane/src/domain/graph.ts";
import { assetOf, checkOf, keyOf, lastGood, locationOf, retired } from "../support/graph-definitions.ts";

const nobody: AssetOwners = new Map();

function build(segments: readonly LocationSegment[], owners = nobody, options: GraphOptions = {}): Graph {
  return buildGraph(segments, owners, options);
}

function keysOf(graph: Graph): string[] {
  return graph.order.map(({ key }) => key);
}

function codes(graph: Graph): string[] {
  return graph.errors.map(({ location, key, code }) => `${location} ${key} ${code}`);
}

/** The one error of a definition. */
function errorOf(graph: Graph, key: string): Graph["errors"][number] {
  const errors = graph.errors.filter((error) => error.key === key);
  expect(errors).toHaveLength(1);
  return errors[0]!;
}

const monthly = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01" } as const;
const daily = { kind: "timeWindow", cron: "0 0 * * *", timezone: "UTC", start: "2001-01-01" } as const;

describe("a graph of sound definitions", () => {
  const graph = build([
    locationOf("flights", [assetOf("flights/clean", ["flights/raw"]), assetOf("flights/raw")]),
    locationOf("analytics", [
      assetOf("analytics/delays", ["flights/clean", "analytics/airports"]),
      assetOf("analytics/airports"),
    ]),
  ]);

  it("orders assets upstream first and numbers them by that order", () => {
    expect(graph.errors).toEqual([]);
    expect(graph.order.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    for (const node of graph.order)
      for (const { upstream } of node.upstream) expect(upstream.index).toBeLessThan(node.index);
  });

  it("joins both ends of an edge, across teams, in the order of the dependencies", () => {
    const delays = graph.asset("analytics/delays");
    expect(delays?.upstream.map(({ upstream }) => upstream.key)).toEqual(["flights/clean", "analytics/airports"]);
    expect(graph.asset("flights/clean")?.downstream).toEqual([delays?.upstream[0]]);
    expect(delays?.upstream[0]?.downstream).toBe(delays);
  });

  it("says nothing of a text that is no key of it", () => {
    expect(graph.asset("flights/claen")).toBeUndefined();
    expect(graph.asset("constructor")).toBeUndefined();
  });
});

describe("resolving an edge", () => {
  function edge(
    upstream: Parameters<typeof assetOf>[2],
    reader: Parameters<typeof assetOf>[2],
    dependency: object = {},
  ) {
    const graph = build([
      locationOf("a", [assetOf("a/up", [], upstream), assetOf("a/down", [{ asset: "a/up", ...dependency }], reader)]),
    ]);
    expect(graph.errors).toEqual([]);
    const { mapping, atLeast, single } = graph.asset("a/down")!.upstream[0]!;
    return { mapping: mapping.kind, atLeast, single };
  }
  const months = { partitions: monthly };

  it("maps one partition to one where both sides have the same partitions, or the upstream has none", () => {
    expect(edge(months, months)).toEqual({ mapping: "identity", atLeast: 0, single: true });
    expect(edge({}, {})).toEqual({ mapping: "identity", atLeast: 0, single: true });
    expect(edge({}, months)).toEqual({ mapping: "all", atLeast: 0, single: true });
    expect(edge(months, { partitions: { ...monthly, start: "2001-03" } }).single).toBe(true);
  });

  it("maps to many for all partitions, finer windows, spans and maps of keys, and to one for the last", () => {
    const span = { mapping: { kind: "window", startOffset: -6, endOffset: 0 } };
    const before = { mapping: { kind: "window", startOffset: -1, endOffset: -1 } };
    const states = { partitions: { kind: "static", keys: ["ca", "ny"] } } as const;
    const regions = { partitions: { kind: "static", keys: ["us"] } } as const;
    const map = { mapping: { kind: "static", upstreamOf: { us: ["ca", "ny"] } } };
    expect(edge(months, {}).single).toBe(false);
    expect(edge({ partitions: daily }, months)).toEqual({ mapping: "window", atLeast: 0, single: false });
    expect(edge(months, months, span).single).toBe(false);
    expect(edge(months, months, before).single).toBe(true);
    expect(edge({ partitions: daily }, months, before).single).toBe(false);
    expect(edge(states, regions, map).single).toBe(false);
    expect(edge(months, {}, { mapping: { kind: "last" } }).single).toBe(true);
  });

  it("quotes: default `every`; for `lastValidated` over a many-to-one mapping `{ atLeast: 1 }`", () => {
    expect(edge(months, {}, { mode: "lastValidated" }).atLeast).toBe(1);
    expect(edge(months, {}, { mode: "lastValidated", atLeast: 0 }).atLeast).toBe(0);
    expect(edge(months, {}, { mode: "lastValidated", atLeast: 3 }).atLeast).toBe(3);
    expect(edge(months, months, { mode: "lastValidated" }).atLeast).toBe(0);
    expect(edge(months, {}).atLeast).toBe(0);
    expect(edge(months, {}, { mode: "orderOnly" }).atLeast).toBe(0);
  });
});

describe("who holds a key", () => {
  it("refuses the second definition of a key in one location, naming both places", () => {
    const second = assetOf("a/x", [], { group: "second", source: { file: "assets/other.ts", line: 9 } });
    const graph = build([locationOf("a", [assetOf("a/x"), second, assetOf("a/y", ["a/x"])])]);
    expect(keysOf(graph)).toEqual(["a/x", "a/y"]);
    expect(graph.asset("a/x")?.definition.group).toBe("default");
    expect(errorOf(graph, "a/x")).toMatchObject({
      code: "definition.duplicate_key",
      message:
        "Location a defines a/x twice: first (assets/x.ts:7), and again (assets/other.ts:9). The first one counts.",
      source: { file: "assets/other.ts", line: 9 },
    });
  });

  const north = locationOf("a", [assetOf("a/x", [], { group: "north" })], [], { location: "north" });
  const south = locationOf("a", [assetOf("a/x", [], { group: "south" }), assetOf("a/z")], [], { location: "south" });

  it("lets the registry decide between two locations of a team", () => {
    const graph = build([north, south], new Map([["a/x", { team: "a", location: "south" }]]));
    expect(graph.asset("a/x")?.location).toBe("south");
    expect(errorOf(graph, "a/x")).toMatchObject({
      location: "north",
      code: "definition.owned_by_another_location",
      message: "Location north defines a/x, which is already defined by location south, which owns it.",
      hint: "Rename or remove it in north: a key stays with the location that defined it first. To move it: npx headgate owner transfer a/x --to north",
    });
  });

  it("lets the first location by name keep a key that is not registered, whatever the order they are given in", () => {
    for (const segments of [
      [north, south],
      [south, north],
    ]) {
      const graph = build(segments);
      expect(graph.asset("a/x")?.location).toBe("north");
      expect(codes(graph)).toEqual(["south a/x definition.owned_by_another_location"]);
      expect(graph.asset("a/z")?.location).toBe("south");
    }
  });

  it("does not free a key because its owner is absent", () => {
    const graph = build([south], new Map([["a/x", { team: "a", location: "north" }]]));
    expect(graph.asset("a/x")).toBeUndefined();
    expect(codes(graph)).toEqual(["south a/x definition.owned_by_another_location"]);
  });

  it("refuses a key with another team's prefix, and the rest of the location loads", () => {
    const graph = build([
      locationOf("analytics", [assetOf("flights/x"), assetOf("analytics/y"), assetOf("analytics/z", ["flights/x"])]),
    ]);
    expect(keysOf(graph)).toEqual(["analytics/y"]);
    expect(errorOf(graph, "flights/x")).toMatchObject({
      code: "definition.another_teams_prefix",
      message:
        'Location analytics of team analytics defines flights/x, but keys that start with "flights/" belong to team flights.',
    });
    expect(errorOf(graph, "analytics/z").code).toBe("definition.refused_upstream");
  });

  it("keeps an asset that another team defines under the owner's prefix out of the owner's way", () => {
    const graph = build([
      locationOf("analytics", [assetOf("flights/x")]),
      locationOf("flights", [assetOf("flights/x"), assetOf("flights/y", ["flights/x"])]),
    ]);
    expect(graph.asset("flights/x")?.location).toBe("flights");
    expect(keysOf(graph)).toEqual(["flights/x", "flights/y"]);
    expect(codes(graph)).toEqual(["analytics flights/x definition.another_teams_prefix"]);
  });

  it("prefers a definition that is there to one that vanished, wherever it stands", () => {
    const reader = locationOf("b", [assetOf("b/r", ["a/x"])]);
    const graph = build([
      locationOf("a", [retired(assetOf("a/x"))], [], { location: "first" }),
      locationOf("a", [assetOf("a/x")], [], { location: "second" }),
      reader,
    ]);
    expect(graph.asset("a/x")).toMatchObject({ location: "second", retired: false });
    expect(graph.errors).toEqual([]);
    expect(graph.warnings).toEqual([]);
  });
});

describe("what an asset reads", () => {
  it("refuses a missing upstream and suggests the nearest key that the reader may read", () => {
    const graph = build([
      locationOf("flights", [assetOf("flights/clean_flights"), assetOf("flights/claen_flight", [], { export: false })]),
      locationOf("analytics", [
        assetOf("analytics/a", ["flights/claen_flights"]),
        assetOf("analytics/b", ["flight/clean_flights"]),
      ]),
    ]);
    expect(errorOf(graph, "analytics/a")).toMatchObject({
      code: "definition.missing_upstream",
      location: "analytics",
      message: 'analytics/a reads flights/claen_flights (as "input_0"), but no location defines flights/claen_flights.',
      hint: "Did you mean flights/clean_flights? Correct the key, or add the location that defines it to workspace.yaml.",
      source: { file: "assets/a.ts", line: 7 },
    });
    expect(errorOf(graph, "analytics/b").hint).toContain("Did you mean flights/clean_flights?");
    expect(keysOf(graph)).toEqual(["flights/clean_flights", "flights/claen_flight"]);
  });

  it("suggests the nearest keys first, at most three", () => {
    const names = ["delayxxs", "delayxs", "zdelayxs", "delay", "other"];
    const graph = build([
      locationOf("a", [...names.map((name) => assetOf(`a/${name}`)), assetOf("a/r", ["a/delays"])]),
    ]);
    expect(errorOf(graph, "a/r").hint).toMatch(/^Did you mean a\/delay or a\/delayxs or a\/delayxxs\? /);
  });

  it("names a module that did not load where it may define the missing upstream", () => {
    const errors = [
      { kind: "module", key: "assets/raw.ts", code: "definition.module", message: "boom", hint: "" },
    ] as const;
    const graph = build([
      locationOf("flights", [], [], { errors }),
      locationOf("analytics", [assetOf("analytics/a", ["flights/raw"])]),
    ]);
    expect(errorOf(graph, "analytics/a").hint).toMatch(/^Module assets\/raw\.ts of location flights did not load/);
    expect(errorOf(graph, "assets/raw.ts")).toMatchObject({ kind: "module", location: "flights", message: "boom" });
  });

  it("quotes: an asset is private to its team unless its spec says `export: true` (or names teams)", () => {
    const exports = { none: { export: false }, teams: { export: false, exportTo: ["b"] }, all: { export: true } };
    const graph = build([
      locationOf(
        "a",
        Object.entries(exports).map(([name, rest]) => assetOf(`a/${name}`, [], rest)),
      ),
      ...["a", "b", "c"].map((team) =>
        locationOf(
          team,
          Object.keys(exports).map((name) => assetOf(`${team}/reads_${name}`, [`a/${name}`])),
          [],
          {
            location: `${team}_readers`,
          },
        ),
      ),
    ]);
    expect(codes(graph)).toEqual([
      "b_readers b/reads_none definition.not_exported",
      "c_readers c/reads_none definition.not_exported",
      "c_readers c/reads_teams definition.not_exported",
    ]);
    expect(errorOf(graph, "c/reads_teams")).toMatchObject({
      message: "c/reads_teams of team c reads a/teams, which team a does not export to team c.",
      hint: 'Ask team a to set export: true, or export: ["c"], on a/teams.',
    });
  });

  it("refuses what reads a refused asset, through any number of readers, naming the first cause", () => {
    const graph = build([
      locationOf("a", [assetOf("a/x", ["a/nowhere"]), assetOf("a/fine")]),
      locationOf("b", [assetOf("b/y", ["a/x", "a/fine"]), assetOf("b/z", ["b/y"])]),
    ]);
    expect(keysOf(graph)).toEqual(["a/fine"]);
    expect(errorOf(graph, "b/y").message).toBe(
      'b/y reads a/x, which is refused: a/x reads a/nowhere (as "input_0"), but no location defines a/nowhere.',
    );
    expect(errorOf(graph, "b/z")).toMatchObject({
      code: "definition.refused_upstream",
      message: expect.stringMatching(/^b\/z reads b\/y, which is refused because of a\/x: a\/x reads a\/nowhere/),
      hint: expect.stringMatching(/^Mend a\/x first \(definition\.missing_upstream\)/),
    });
    expect(graph.asset("a/fine")?.downstream).toEqual([]);
  });

  it("tells an upstream that never loaded from one that is missing", () => {
    const errors = [
      { kind: "asset", key: "a/x", code: "definition.invalid", message: "x is wrong.", hint: "mend" },
    ] as const;
    const graph = build([locationOf("a", [], [], { errors }), locationOf("b", [assetOf("b/y", ["a/x"])])]);
    expect(errorOf(graph, "b/y")).toMatchObject({
      code: "definition.refused_upstream",
      message: "b/y reads a/x, which is refused: x is wrong.",
    });
  });

  it("reports every fault of one definition, and one fault once", () => {
    const graph = build([locationOf("a", [assetOf("a/x", ["a/one", "a/two", { asset: "a/two", name: "input_1" }])])]);
    expect(codes(graph)).toEqual(["a a/x definition.missing_upstream", "a a/x definition.missing_upstream"]);
  });

  it("quotes: for `inPlace` … a `lastValidated` edge to it is a definition error", () => {
    const graph = build([
      locationOf("a", [
        assetOf("a/place", [], { inPlace: true }),
        assetOf("a/strict", ["a/place"]),
        assetOf("a/lenient", [{ asset: "a/place", mode: "lastValidated" }]),
      ]),
    ]);
    expect(keysOf(graph)).toEqual(["a/place", "a/strict"]);
    expect(errorOf(graph, "a/lenient")).toMatchObject({
      code: "definition.last_validated_in_place",
      message: expect.stringContaining("but a/place is overwritten in place"),
    });
  });

  it("refuses partitions that do not map, and a requirement that could never be met", () => {
    const graph = build([
      locationOf("a", [
        assetOf("a/states", [], { partitions: { kind: "static", keys: ["ca", "ny"] } }),
        assetOf("a/months", ["a/states"], { partitions: monthly }),
        assetOf("a/three", [{ asset: "a/states", mapping: { kind: "all" }, atLeast: 3 }]),
        assetOf("a/two", [{ asset: "a/states", mapping: { kind: "all" }, atLeast: 2 }]),
        assetOf("a/one", [{ asset: "a/two", atLeast: 2 }]),
      ]),
    ]);
    expect(codes(graph)).toEqual([
      "a a/months definition.mapping_mismatch",
      "a a/one definition.requires_too_many",
      "a a/three definition.requires_too_many",
    ]);
    expect(errorOf(graph, "a/months").message).toMatch(/^The partitions of a\/months do not map to those of a\/states/);
    expect(errorOf(graph, "a/three").message).toContain("reads 2 partitions at most");
  });

  it("refuses an invalid partitions definition, and what reads it for that reason", () => {
    const graph = build([
      locationOf("a", [
        assetOf("a/x", [], { partitions: { ...monthly, cron: "nonsense" } }),
        assetOf("a/y", ["a/x"]),
        assetOf("a/z"),
      ]),
    ]);
    expect(keysOf(graph)).toEqual(["a/z"]);
    expect(errorOf(graph, "a/x").code).toBe("definition.invalid_partitions");
    expect(errorOf(graph, "a/y").message).toMatch(
      /^a\/y reads a\/x, which is refused: The partitions of a\/x are not valid/,
    );
  });
});

describe("cycles", () => {
  it("refuses every member of a cycle across locations with its path, and what reads it, and nothing else", () => {
    const graph = build([
      locationOf("a", [assetOf("a/1", ["b/2"]), assetOf("a/3", ["a/1", "a/root"]), assetOf("a/root")]),
      locationOf("b", [assetOf("b/2", ["a/3"]), assetOf("b/reader", ["b/2"]), assetOf("b/other", ["a/root"])]),
    ]);
    expect(keysOf(graph)).toEqual(["a/root", "b/other"]);
    expect(errorOf(graph, "a/1").message).toBe(
      "a/1 is part of a cycle, each asset reading the next: a/1 → b/2 → a/3 → a/1.",
    );
    expect(errorOf(graph, "b/2").message).toContain("b/2 → a/3 → a/1 → b/2");
    expect(errorOf(graph, "a/3").code).toBe("definition.cycle");
    expect(errorOf(graph, "b/reader")).toMatchObject({
      code: "definition.refused_upstream",
      message: expect.stringContaining("b/reader reads b/2, which is refused: b/2 is part of a cycle"),
    });
  });

  it("refuses an asset that reads itself, and what reads it", () => {
    const graph = build([locationOf("a", [assetOf("a/x", ["a/x"]), assetOf("a/y"), assetOf("a/z", ["a/x"])])]);
    expect(keysOf(graph)).toEqual(["a/y"]);
    expect(errorOf(graph, "a/x")).toMatchObject({
      code: "definition.cycle",
      message: 'a/x reads itself (as "input_0") at the same partition: a partition would wait for its own version.',
      source: { file: "assets/x.ts", line: 7 },
    });
    expect(errorOf(graph, "a/z").code).toBe("definition.refused_upstream");
  });

  it("shortens the path of a long cycle and starts it at the refused asset", () => {
    const ring = Array.from({ length: 1_000 }, (_, i) => assetOf(`a/n${i}`, [`a/n${(i + 1) % 1_000}`]));
    const graph = build([locationOf("a", ring)]);
    expect(graph.errors).toHaveLength(1_000);
    expect(errorOf(graph, "a/n995").message).toMatch(/: a\/n995 → a\/n996 → .* → \(988 more\) → a\/n995\.$/);
  });

  it("gives each member of two cycles that share an asset a cycle of its own", () => {
    const graph = build([
      locationOf("a", [assetOf("a/hub", ["a/l", "a/r"]), assetOf("a/l", ["a/hub"]), assetOf("a/r", ["a/hub"])]),
    ]);
    expect(errorOf(graph, "a/l").message).toContain("a/l → a/hub → a/l");
    expect(errorOf(graph, "a/r").message).toContain("a/r → a/hub → a/r");
  });
});

describe("very many cycles", () => {
  it("refuses all members of a tangle, though not each has a path searched for", () => {
    const spokes = Array.from({ length: 200 }, (_, i) => `a/s${i}`);
    const graph = build([locationOf("a", [assetOf("a/hub", spokes), ...spokes.map((key) => assetOf(key, ["a/hub"]))])]);
    expect(graph.order).toEqual([]);
    expect(graph.errors.map(({ code }) => code)).toEqual(Array.from({ length: 201 }, () => "definition.cycle"));
    expect(errorOf(graph, "a/s0").message).toContain("a/s0 → a/hub → a/s0");
    expect(errorOf(graph, "a/s199").message).toMatch(/a\/s199 is part of a cycle, .*: a\/s\d+ → a\/hub → a\/s\d+\./);
  });
});

describe("what vanished or did not load", () => {
  const gone = retired(assetOf("a/x", ["a/unknown"]), 50);

  it("quotes: one that vanishes while consumed is `retired`: its versions serve existing edges, consumers get a warning", () => {
    const graph = build([locationOf("a", [gone]), locationOf("b", [assetOf("b/y", ["a/x"])])]);
    expect(graph.errors).toEqual([]);
    expect(graph.asset("a/x")).toMatchObject({ retired: true, upstream: [] });
    expect(graph.asset("b/y")?.upstream[0]?.upstream.key).toBe("a/x");
    expect(graph.warnings).toMatchObject([{ location: "b", key: "b/y", code: "definition.retired_upstream" }]);
  });

  it("leaves out a retired asset that nobody reads, or that only a refused asset reads", () => {
    expect(keysOf(build([locationOf("a", [gone])]))).toEqual([]);
    const graph = build([locationOf("a", [gone]), locationOf("b", [assetOf("b/y", ["a/x", "b/none"])])]);
    expect(keysOf(graph)).toEqual([]);
  });

  it("quotes: new edges are refused, where old ones are known", () => {
    const segments = [locationOf("a", [gone]), locationOf("b", [assetOf("b/old", ["a/x"]), assetOf("b/new", ["a/x"])])];
    const graph = build(segments, nobody, { established: (reader) => reader === "b/old" });
    expect(keysOf(graph)).toEqual(["a/x", "b/old"]);
    expect(errorOf(graph, "b/new").code).toBe("definition.retired_upstream");
  });

  it("goes on serving an old edge to what is no longer exported, with a warning, where old edges are known", () => {
    const segments = [
      locationOf("a", [assetOf("a/x", [], { export: false })]),
      locationOf("b", [assetOf("b/old", ["a/x"]), assetOf("b/new", ["a/x"])]),
    ];
    const graph = build(segments, nobody, {
      established: (reader, upstream) => reader === "b/old" && upstream === "a/x",
    });
    expect(keysOf(graph)).toEqual(["a/x", "b/old"]);
    expect(codes(graph)).toEqual(["b b/new definition.not_exported"]);
    expect(graph.warnings).toMatchObject([{ key: "b/old", code: "definition.unexported_upstream" }]);
  });

  it("quotes: one that fails to load keeps its last good one, and says what is wrong with the newest", () => {
    const error = { code: "definition.invalid", message: "no compute", hint: "add compute" };
    const graph = build([locationOf("a", [lastGood(assetOf("a/x"), error), assetOf("a/y", ["a/x"])])]);
    expect(keysOf(graph)).toEqual(["a/x", "a/y"]);
    expect(graph.asset("a/x")?.error).toEqual(error);
    expect(graph.errors).toEqual([{ ...error, location: "a", kind: "asset", key: "a/x" }]);
  });
});

describe("checks", () => {
  const ids = (graph: Graph, asset: string): string[] => graph.asset(asset)?.checks.map(({ id }) => id) ?? [];
  const required = (graph: Graph, asset: string, reader: string): string[] =>
    requiredChecks(graph.asset(asset)!, reader).map(({ team, name }) => `${team}:${name}`);

  it("gathers the checks of every team, ordered by team, then name, each once", () => {
    const graph = build([
      locationOf("b", [], [checkOf("a/x", "z"), checkOf("a/x", "a")]),
      locationOf("a", [assetOf("a/x")], [checkOf("a/x", "z"), checkOf("a/x", "z", { version: 2 })]),
    ]);
    expect(ids(graph, "a/x")).toEqual(["a/x@a:z", "a/x@b:a", "a/x@b:z"]);
    expect(graph.asset("a/x")?.checks[0]?.definition.version).toBe(1);
    expect(codes(graph)).toEqual(["a a/x@z definition.duplicate_check"]);
  });

  it("quotes: a blocking check owned by another team gates only edges into that team, unless the asset's owner lists it", () => {
    const listed = [{ asset: keyOf("a/x"), team: "c", name: "listed" }];
    const graph = build([
      locationOf(
        "a",
        [assetOf("a/x", [], { requiredChecks: listed })],
        [checkOf("a/x", "own"), checkOf("a/x", "hint", { blocking: false })],
      ),
      locationOf("b", [], [checkOf("a/x", "bs")]),
      locationOf("c", [], [checkOf("a/x", "cs"), checkOf("a/x", "listed")]),
    ]);
    expect(required(graph, "a/x", "a")).toEqual(["a:own", "c:listed"]);
    expect(required(graph, "a/x", "b")).toEqual(["a:own", "b:bs", "c:listed"]);
    expect(required(graph, "a/x", "c")).toEqual(["a:own", "c:cs", "c:listed"]);
    expect(graph.errors).toEqual([]);
  });

  it("refuses a check on what is missing, refused or not exported, by itself", () => {
    const graph = build([
      locationOf("a", [assetOf("a/x"), assetOf("a/private", [], { export: false }), assetOf("a/broken", ["a/none"])]),
      locationOf(
        "b",
        [],
        [checkOf("a/xx", "c1"), checkOf("a/private", "c2"), checkOf("a/broken", "c3"), checkOf("a/x", "c4")],
      ),
    ]);
    expect(ids(graph, "a/x")).toEqual(["a/x@b:c4"]);
    expect(errorOf(graph, "a/xx@c1")).toMatchObject({
      kind: "check",
      code: "definition.missing_asset",
      message: "The check c1 of team b checks a/xx, but no location defines a/xx.",
      hint: "Did you mean a/x? Correct the key, or remove the check.",
    });
    expect(errorOf(graph, "a/private@c2").code).toBe("definition.not_exported");
    expect(errorOf(graph, "a/broken@c3")).toMatchObject({
      code: "definition.refused_asset",
      message: expect.stringContaining("but no location defines a/none"),
    });
  });

  it("quotes: one that fails to load stays required, with its last good definition", () => {
    const error = { code: "definition.invalid", message: "no run", hint: "add run" };
    const graph = build([locationOf("a", [assetOf("a/x")], [lastGood(checkOf("a/x", "c", { version: 4 }), error)])]);
    expect(requiredChecks(graph.asset("a/x")!, "b")).toMatchObject([{ name: "c", definition: { version: 4 }, error }]);
    expect(graph.errors).toEqual([{ ...error, location: "a", kind: "check", key: "a/x@c" }]);
  });

  it("drops a check that was removed", () => {
    const graph = build([locationOf("a", [assetOf("a/x")], [retired(checkOf("a/x", "c"))])]);
    expect(ids(graph, "a/x")).toEqual([]);
    expect(graph.errors).toEqual([]);
  });

  it("keeps the checks that vanished together with a retired asset, and drops those that were removed before it", () => {
    const reader = locationOf("b", [assetOf("b/y", ["a/x"])]);
    const checks = [
      retired(checkOf("a/x", "with"), 50),
      retired(checkOf("a/x", "before"), 40),
      retired(checkOf("a/x", "unknown")),
    ];
    const graph = build([locationOf("a", [retired(assetOf("a/x"), 50)], checks), reader]);
    expect(ids(graph, "a/x")).toEqual(["a/x@a:unknown", "a/x@a:with"]);
    expect(required(graph, "a/x", "b")).toEqual(["a:unknown", "a:with"]);
    expect(graph.errors).toEqual([]);
  });

  it("warns of a check that is still defined on a retired asset, and of none that went with it", () => {
    const checks = [checkOf("a/x", "still"), retired(checkOf("a/x", "gone"))];
    const graph = build([
      locationOf("a", [retired(assetOf("a/x"))], checks),
      locationOf("b", [assetOf("b/y", ["a/x"])]),
    ]);
    expect(ids(graph, "a/x")).toEqual(["a/x@a:gone", "a/x@a:still"]);
    expect(graph.warnings.map(({ key, code }) => [key, code])).toEqual([
      ["a/x@still", "definition.retired_asset"],
      ["b/y", "definition.retired_upstream"],
    ]);
  });

  it("goes on gating an old edge with the reader's own check, with a warning, once the asset is no longer exported", () => {
    const segments = (export_: boolean) => [
      locationOf("a", [assetOf("a/x", [], { export: export_ })]),
      locationOf("b", [assetOf("b/old", ["a/x"])], [checkOf("a/x", "bs")]),
      locationOf("c", [], [checkOf("a/x", "cs")]),
    ];
    const graph = build(segments(false), nobody, { established: () => true });
    expect(required(graph, "a/x", "b")).toEqual(required(build(segments(true)), "a/x", "b"));
    expect(required(graph, "a/x", "b")).toEqual(["b:bs"]);
    expect(graph.warnings.map(({ key, code }) => [key, code])).toEqual([
      ["a/x@bs", "definition.unexported_asset"],
      ["b/old", "definition.unexported_upstream"],
    ]);
    expect(codes(graph)).toEqual(["c a/x@cs definition.not_exported"]);
  });

  it("keeps the gate closed, and the asset in the graph, for a required check that nobody defines", () => {
    const requires = [{ asset: keyOf("a/x"), team: "q", name: "audit" }];
    const asset = assetOf("a/x", [], { requiredChecks: [...requires, ...requires] });
    const graph = build([locationOf("a", [asset])]);
    expect(requiredChecks(graph.asset("a/x")!, "b")).toMatchObject([
      {
        id: "a/x@q:audit",
        location: "",
        definition: { blocking: true },
        error: { code: "definition.missing_required_check" },
      },
    ]);
    expect(errorOf(graph, "a/x")).toMatchObject({
      code: "definition.missing_required_check",
      kind: "asset",
      message: expect.stringContaining("team q does not define it"),
    });
  });

  it("requires the last definition of a listed check that was removed", () => {
    const asset = assetOf("a/x", [], { requiredChecks: [{ asset: keyOf("a/x"), team: "q", name: "audit" }] });
    const graph = build([
      locationOf("a", [asset]),
      locationOf("q", [], [retired(checkOf("a/x", "audit", { version: 3 }))]),
    ]);
    expect(requiredChecks(graph.asset("a/x")!, "b")).toMatchObject([
      { location: "q", definition: { version: 3 }, error: { code: "definition.missing_required_check" } },
    ]);
    expect(codes(graph)).toEqual(["a a/x definition.missing_required_check"]);
  });

  it("refuses a check of another asset as a required one, and requires a listed check that does not block, with a warning", () => {
    const requires = [
      { asset: keyOf("a/y"), team: "a", name: "c" },
      { asset: keyOf("a/x"), team: "a", name: "soft" },
    ];
    const graph = build([
      locationOf(
        "a",
        [assetOf("a/x", [], { requiredChecks: requires }), assetOf("a/y")],
        [checkOf("a/y", "c"), checkOf("a/x", "soft", { blocking: false })],
      ),
    ]);
    expect(required(graph, "a/x", "b")).toEqual(["a:c", "a:soft"]);
    expect(required(graph, "a/y", "b")).toEqual(["a:c"]);
    expect(errorOf(graph, "a/x").message).toContain("but that is a check of a/y");
    expect(graph.warnings.map(({ code }) => code)).toEqual(["definition.required_check_not_blocking"]);
  });
});
