import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AssetDeletion } from "../../control-plane/src/domain/asset-deletion.ts";
import { commonPlace } from "../../control-plane/src/domain/common-place.ts";
import { type DeletionRegistry, decideDeletion } from "../../control-plane/src/domain/deletion-decision.ts";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { assetOf, checkOf, keyOf, lastGood, locationOf, retired } from "../support/graph-definitions.ts";

const error = { code: "definition.broken", message: "it does not load", hint: "mend it" };
const gone = locationOf("a", [retired(assetOf("a/old")), assetOf("a/other")]);
const unused = { openStep: undefined, publishing: undefined };
const deletion = (state: AssetDeletion["state"]) =>
  new Map([["a/old", { actor: "ada", requestedAtMs: Date.UTC(2026, 10, 25), state }]]);

function registry(more: Partial<DeletionRegistry> = {}): DeletionRegistry {
  return {
    segments: [gone],
    owners: new Map([["a/old", { team: "a", location: null }]]),
    teams: new Map([["a", "a"]]),
    renames: new Map(),
    deletions: new Map(),
    ...more,
  };
}

describe("a deletion", () => {
  it("is for what is gone, whoever holds the key, with the names that it had", () => {
    const renames = new Map([
      ["a/older", { key: keyOf("a/old"), state: "done" as const }],
      ["a/x", { key: keyOf("a/other"), state: "done" as const }],
      ["a/old", { key: keyOf("a/other"), state: "refused" as const }],
    ]);
    expect(decideDeletion(registry({ renames }), "a/old", unused)).toEqual({
      kind: "accepted",
      asset: "a/old",
      team: "a",
      formerly: ["a/older"],
    });
  });

  it("is not hindered by what has gone too, though it read or checked it", () => {
    const segments = [gone, locationOf("b", [retired(assetOf("b/r", ["a/old"]))], [retired(checkOf("a/old", "fit"))])];
    expect(decideDeletion(registry({ segments }), "a/old", unused).kind).toBe("accepted");
  });

  const other = (assets: unknown[], checks: unknown[] = []) => [
    gone,
    locationOf("b", assets as never, checks as never),
  ];
  it.each([
    [
      "of what nobody ever defined",
      { owners: new Map() },
      unused,
      "unknown_asset",
      /No location has ever/,
      /asset list/,
    ],
    [
      "while it is defined",
      { segments: [locationOf("a", [assetOf("a/old")])] },
      unused,
      "still_defined",
      /Location a defines/,
      /workspace\.yaml/,
    ],
    [
      "while its newest definition does not load",
      { segments: [locationOf("a", [lastGood(assetOf("a/old"), error)])] },
      unused,
      "still_defined",
      /Location a/,
      /Remove it/,
    ],
    [
      "while it never loaded where it is defined",
      { segments: [locationOf("a", [], [], { errors: [{ ...error, kind: "asset", key: "a/old" }] })] },
      unused,
      "still_defined",
      /Location a/,
      /Remove it/,
    ],
    [
      "while it is read",
      { segments: other([assetOf("b/r", ["a/old"])]) },
      unused,
      "consumed",
      /used by b\/r \(location b\)\./,
      /Remove what reads/,
    ],
    [
      "while it is read by a former name",
      {
        segments: other([assetOf("b/r", ["a/older"])]),
        renames: new Map([["a/older", { key: keyOf("a/old"), state: "done" as const }]]),
      },
      unused,
      "consumed",
      /b\/r/,
      /Remove/,
    ],
    [
      "while it is checked",
      { segments: other([], [checkOf("a/old", "fit")]) },
      unused,
      "consumed",
      /the check fit \(location b\)/,
      /checks it/,
    ],
    [
      "while another asset takes over its history",
      { renames: new Map([["a/old", { key: keyOf("a/new"), state: "asked" as const }]]) },
      unused,
      "taken_over",
      /a\/new takes over/,
      /Remove formerly from a\/new/,
    ],
    [
      "while a step of it is open",
      {},
      { ...unused, openStep: { run: "r1", asset: "a/old" } },
      "in_flight",
      /run r1 a step of a\/old/,
      /run cancel r1/,
    ],
    [
      "while a step is open that was planned to read it",
      {},
      { ...unused, openStep: { run: "r1", asset: "b/r" } },
      "in_flight",
      /the step of b\/r, which reads a\/old,/,
      /run cancel r1/,
    ],
    [
      "while a version is being published",
      {},
      { ...unused, publishing: "2001-03" },
      "publishing",
      /a\/old 2001-03 is being published/,
      /Try again/,
    ],
    [
      "while it is being deleted, though it is defined again",
      { deletions: deletion("underWay") },
      unused,
      "deleted",
      /by ada at 2026-11-25T00:00:00.000Z/,
      /loads by itself/,
    ],
    [
      "of what was deleted",
      { owners: new Map(), deletions: deletion("done") },
      unused,
      "deleted",
      /was deleted by ada/,
      /nothing left/,
    ],
  ])("%s is refused", (_what, more: Partial<DeletionRegistry>, use, code, message, hint) => {
    expect(decideDeletion(registry(more), "a/old", use)).toEqual({
      kind: "refused",
      code: `deletion.${code}`,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });

  it("names the first few of many consumers, and how many more there are", () => {
    const segments = [
      gone,
      locationOf(
        "b",
        Array.from({ length: 8 }, (_, i) => assetOf(`b/r${i}`, ["a/old"])),
      ),
    ];
    const decision = decideDeletion(registry({ segments }), "a/old", unused);
    expect(decision).toMatchObject({ message: expect.stringMatching(/b\/r0 .*b\/r4 \(location b\) and 3 more\.$/) });
  });
});

describe("a key whose history is still being removed", () => {
  const owners = new Map(["a/old", "a/new", "a/end"].map((key) => [key, { team: "a", location: "a" }]));
  const build = (state: AssetDeletion["state"], assets: ReturnType<typeof assetOf>[]) => {
    const graph = buildGraph([locationOf("a", assets)], owners, { renames: new Map(), deletions: deletion(state) });
    return {
      graph,
      keys: graph.order.map(({ key }) => key),
      errors: graph.errors.map(({ key, code }) => `${key} ${code.replace("definition.", "")}`),
    };
  };
  const again = [assetOf("a/old"), assetOf("a/end", ["a/old"]), assetOf("a/new")];

  it("is refused as a definition, with what reads it, and says that it will load by itself", () => {
    const { keys, errors, graph } = build("underWay", again);
    expect(keys).toEqual(["a/new"]);
    expect(errors).toEqual(["a/end refused_upstream", "a/old deletion_under_way"]);
    expect(graph.errors.at(-1)).toMatchObject({
      message: expect.stringContaining("was deleted by ada at 2026-11-25"),
      hint: expect.stringContaining("loads by itself"),
      source: { file: "assets/old.ts", line: 7 },
    });
    expect(build("done", again)).toMatchObject({ keys: ["a/old", "a/new", "a/end"], errors: [] });
  });

  it("gives its history to nobody, and takes over none", () => {
    const heir = build("underWay", [assetOf("a/new", [], { formerly: keyOf("a/old") })]);
    expect(heir).toMatchObject({ keys: ["a/new"], graph: { carryOvers: [] } });
    const taker = build("underWay", [assetOf("a/old", [], { formerly: keyOf("a/new") })]);
    expect(taker).toMatchObject({ errors: ["a/old deletion_under_way"], graph: { carryOvers: [] } });
  });
});

describe("the common place of values", () => {
  it("is a folder that holds both and all between, or the one place itself", () => {
    expect(commonPlace("a/old/1.json", "a/old/2.json")).toBe("a/old/");
    expect(commonPlace("s3://b/a/old/1", "s3://b/a/older/2")).toBe("s3://b/a/");
    expect(commonPlace("x", "y")).toBe("");
    expect(commonPlace("a/1", "a/1")).toBe("a/1");
    const places = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 }), { minLength: 1 });
    fc.assert(
      fc.property(places, (given) => {
        const sorted = [...given].sort();
        const place = commonPlace(sorted[0]!, sorted.at(-1)!);
        for (const each of given) expect(each.startsWith(place)).toBe(true);
      }),
    );
  });
});
