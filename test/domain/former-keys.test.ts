import { describe, expect, it } from "vitest";
import type { AssetOwners, LocationSegment } from "../../control-plane/src/domain/asset-graph.ts";
import type { Rename, Renames } from "../../control-plane/src/domain/rename.ts";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { underFormerKey } from "../../control-plane/src/domain/under-former-key.ts";
import { assetOf, checkOf, keyOf, locationOf, retired } from "../support/graph-definitions.ts";

const renamedFrom = (key: string, formerly: string) => assetOf(key, [], { formerly: keyOf(formerly) });
const owners = (...keys: string[]): AssetOwners =>
  new Map(keys.map((key) => [key, { team: key.split("/")[0] ?? "", location: key.split("/")[0] ?? "" }]));
const renames = (entries: Record<string, [key: string, state: Rename["state"]]>): Renames =>
  new Map(Object.entries(entries).map(([old, [key, state]]) => [old, { key: keyOf(key), state }]));

function build(segments: readonly LocationSegment[], registry: AssetOwners, known: Renames = new Map()) {
  const graph = buildGraph(segments, registry, { renames: known });
  return {
    keys: graph.order.map(({ key }) => key),
    errors: graph.errors.map(({ key, code }) => `${key} ${code.replace("definition.", "")}`),
    carryOvers: graph.carryOvers.map(({ from, to }) => `${from} -> ${to}`),
    renamed: Object.fromEntries(graph.renamed),
    graph,
  };
}

const reader = (upstream: string) => locationOf("u", [assetOf("u/r", [upstream])]);

describe("an asset that was formerly another key", () => {
  const segments = [locationOf("a", [renamedFrom("a/new", "a/old"), retired(assetOf("a/old"))]), reader("a/old")];

  it("is held back until the history is carried over, and then served", () => {
    const asked = build(segments, owners("a/old", "a/new"));
    expect(asked).toMatchObject({ keys: [], carryOvers: ["a/old -> a/new"], renamed: { "a/old": "a/new" } });
    expect(asked.errors).toContain("a/new history_in_flight");
    const done = build(segments, owners("a/new"), renames({ "a/old": ["a/new", "done"] }));
    expect(done).toMatchObject({ keys: ["a/new"], carryOvers: [], errors: ["u/r renamed_upstream"] });
  });

  it("tells whoever still names the old key the new one, readers and checks alike", () => {
    const check = locationOf("u", [assetOf("u/r", ["a/old"])], [checkOf("a/old", "fit")]);
    const { graph } = build([segments[0]!, check], owners("a/new"), renames({ "a/old": ["a/new", "done"] }));
    expect(graph.errors.map(({ key, message, hint }) => [key, message, hint])).toEqual([
      [
        "a/old@fit",
        "The check fit of team u checks a/old, which is called a/new now.",
        "Check a/new: the results so far are there.",
      ],
      [
        "u/r",
        'u/r reads a/old (as "input_0"), which is called a/new now.',
        "Read a/new: it has the versions, results and waivers of a/old.",
      ],
    ]);
  });

  it("is served at once where nothing is known of the old key", () => {
    const first = build([locationOf("a", [renamedFrom("a/new", "a/old")]), reader("a/old")], owners("a/new"));
    expect(first).toMatchObject({ keys: ["a/new"], carryOvers: [], errors: ["u/r renamed_upstream"] });
  });

  it("is served as it will be where nothing is known of histories, as in a checkout that is compared", () => {
    const graph = buildGraph(segments, owners("a/old", "a/new"));
    expect(graph.order.map(({ key }) => key)).toEqual(["a/new"]);
    expect(graph.carryOvers).toEqual([]);
    expect(graph.errors.map(({ key, code }) => `${key} ${code}`)).toEqual(["u/r definition.renamed_upstream"]);
  });

  it("is refused while the old key is defined; once it has the history, the old key is", () => {
    const both = [locationOf("a", [renamedFrom("a/new", "a/old"), assetOf("a/old")])];
    expect(build(both, owners("a/old", "a/new"))).toMatchObject({
      keys: ["a/old"],
      errors: ["a/new former_key_defined"],
      carryOvers: [],
    });
    expect(build(both, owners("a/new"), renames({ "a/old": ["a/new", "done"] }))).toMatchObject({
      keys: ["a/new"],
      errors: ["a/old key_of_renamed"],
    });
  });

  it("is refused where both have versions, and says so", () => {
    const refused = build(segments, owners("a/old", "a/new"), renames({ "a/old": ["a/new", "refused"] }));
    expect(refused.errors).toContain("a/new history_exists");
    expect(refused.keys).toEqual([]);
  });

  it.each([
    ["its own key", [renamedFrom("a/new", "a/new")], ["a/new invalid_former_key"]],
    ["another team's key", [renamedFrom("a/new", "u/old")], ["a/new invalid_former_key"]],
    [
      "a key that another one was, too",
      [renamedFrom("a/new", "a/old"), renamedFrom("a/newer", "a/old")],
      ["a/newer former_key_taken"],
    ],
  ])("is refused for %s", (_what, assets, errors) => {
    expect(build([locationOf("a", assets)], owners("u/old")).errors).toEqual(errors);
  });

  it("follows a chain, also one whose middle was never carried over", () => {
    const third = [locationOf("a", [renamedFrom("a/third", "a/second")])];
    const second = renames({ "a/first": ["a/second", "done"] });
    expect(build(third, owners("a/second", "a/third"), second)).toMatchObject({
      carryOvers: ["a/second -> a/third"],
    });
    const unfinished = renames({ "a/first": ["a/second", "asked"] });
    expect(build(third, owners("a/first", "a/second", "a/third"), unfinished).carryOvers).toEqual([
      "a/second -> a/third",
      "a/first -> a/third",
    ]);
    // Deployed from the first to the third: the history is where the second had it.
    expect(build([locationOf("a", [renamedFrom("a/third", "a/first")])], owners("a/second"), second)).toMatchObject({
      carryOvers: ["a/second -> a/third"],
      renamed: { "a/first": "a/third", "a/second": "a/third" },
    });
  });

  it("gives the history back when the old key is defined again and the new one no longer is", () => {
    const back = [locationOf("a", [assetOf("a/old"), retired(renamedFrom("a/new", "a/old"))])];
    const known = renames({ "a/old": ["a/new", "done"] });
    expect(build(back, owners("a/new", "a/old"), known)).toMatchObject({
      carryOvers: ["a/new -> a/old"],
      renamed: { "a/new": "a/old" },
    });
  });
});

it("what gated a history last is told under its new key: checks that went with the old one, not those of before", () => {
  const segments = [
    locationOf(
      "a",
      [assetOf("a/new", ["a/x"]), retired(assetOf("a/old", ["a/y"]), 10)],
      [retired(checkOf("a/old", "went"), 10), retired(checkOf("a/old", "long_gone"), 5), checkOf("a/new", "fresh")],
    ),
    locationOf("u", [], [checkOf("a/old", "theirs")]),
  ];
  const graph = buildGraph(underFormerKey(segments, { from: keyOf("a/old"), to: keyOf("a/new") }), new Map());
  expect(graph.asset("a/new")?.checks.map(({ id }) => id)).toEqual(["a/new@a:went", "a/new@u:theirs"]);
  expect(graph.asset("a/old")).toBeUndefined();
});
