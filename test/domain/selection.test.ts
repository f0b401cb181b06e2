import { describe, expect, it } from "vitest";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import {
  formatSelection,
  parseSelection,
  select,
  type SelectOptions,
  type Selection,
} from "../../control-plane/src/domain/selection.ts";
import { assetOf, locationsOf, retired } from "../support/graph-definitions.ts";

//  flights/raw ─▶ flights/clean ─▶ analytics/delays ─▶ analytics/summary
//                 flights/airports ──────▲
const graph = buildGraph(
  locationsOf([
    assetOf("flights/raw", [], { kinds: ["parquet"], tags: { tier: "gold", note: "a b" } }),
    assetOf("flights/clean", ["flights/raw"], { kinds: ["duckdb", "parquet"], group: "daily" }),
    assetOf("flights/airports", [], { tags: { tier: "silver" } }),
    assetOf("analytics/delays", ["flights/clean", "flights/airports"], { group: "daily" }),
    assetOf("analytics/summary", ["analytics/delays"], { group: "my group" }),
    assetOf("analytics/broken", ["analytics/nothing"]),
  ]),
  new Map(),
);

function parsed(text: string): Selection {
  const result = parseSelection(text);
  if (!result.ok) throw new Error(`${text}: ${result.message} at ${result.column}`);
  return result.selection;
}

/** The names of what a text selects, sorted. */
function names(text: string, options?: SelectOptions): string[] {
  const { nodes, unknown } = select(graph, parsed(text), options);
  expect(unknown).toEqual([]);
  return nodes.map(({ key }) => key.slice(key.indexOf("/") + 1)).sort();
}

describe("what a selection chooses", () => {
  it.each([
    ["flights/clean", ["clean"]],
    ['"flights/clean"', ["clean"]],
    ["flights/*", ["airports", "clean", "raw"]],
    ["*/*a*r*", ["airports", "summary"]],
    ["*", ["airports", "clean", "delays", "raw", "summary"]],
    ["+analytics/delays", ["airports", "clean", "delays", "raw"]],
    ["1+analytics/delays", ["airports", "clean", "delays"]],
    ["2+analytics/delays", ["airports", "clean", "delays", "raw"]],
    ["flights/raw+", ["clean", "delays", "raw", "summary"]],
    ["flights/raw+1", ["clean", "raw"]],
    ["+flights/clean+", ["clean", "delays", "raw", "summary"]],
    ["1+flights/clean+1", ["clean", "delays", "raw"]],
    ["team:analytics", ["delays", "summary"]],
    ["group:daily", ["clean", "delays"]],
    ['group:"my group"', ["summary"]],
    ["tag:tier=gold", ["raw"]],
    ["tag:tier", ["airports", "raw"]],
    ['tag:note="a b"', ["raw"]],
    ["kind:parquet", ["clean", "raw"]],
    ["+team:analytics and team:flights", ["airports", "clean", "raw"]],
    ["not team:flights", ["delays", "summary"]],
    ["not not team:analytics", ["delays", "summary"]],
    ["(flights/raw or flights/airports)+1", ["airports", "clean", "delays", "raw"]],
    ["+(group:daily and team:flights)", ["clean", "raw"]],
    ["FLIGHTS".toLowerCase() + "/raw OR flights/clean", ["clean", "raw"]],
  ])("%s", (text, expected) => {
    expect(names(text)).toEqual(expected);
  });

  it("binds not tighter than and, and and tighter than or", () => {
    expect(names("flights/raw or team:analytics and group:daily")).toEqual(["delays", "raw"]);
    expect(names("(flights/raw or team:analytics) and group:daily")).toEqual(["delays"]);
    expect(names("not group:daily and team:flights")).toEqual(["airports", "raw"]);
    expect(names("not (group:daily and team:flights)")).toEqual(["airports", "delays", "raw", "summary"]);
  });

  it("gives assets upstream first, each once", () => {
    const { nodes } = select(graph, parsed("analytics/summary or flights/* or flights/clean or +analytics/delays"));
    const indexes = nodes.map(({ index }) => index);
    expect(indexes).toEqual([...new Set(indexes)].sort((a, b) => a - b));
    expect(nodes).toHaveLength(5);
  });

  it("reaches as far from each centre as from any other: a walk does not end where another began", () => {
    expect(names("flights/raw+1 or flights/clean+1")).toEqual(["clean", "delays", "raw"]);
    expect(names("(flights/raw+1)+1")).toEqual(["clean", "delays", "raw"]);
    expect(names("flights/clean or flights/raw+2")).toEqual(["clean", "delays", "raw"]);
  });

  it("asks the caller for the status, one or several an asset", () => {
    const statusOf: SelectOptions["statusOf"] = ({ key }) => (key.endsWith("delays") ? ["ready", "blocked"] : "ready");
    expect(names("status:blocked", { statusOf })).toEqual(["delays"]);
    expect(names("status:ready and team:analytics", { statusOf })).toEqual(["delays", "summary"]);
    expect(names("status:failed", { statusOf })).toEqual([]);
  });

  it("shows a retired asset as retired", () => {
    const [flights, ...others] = locationsOf([assetOf("a/x"), assetOf("b/y", ["a/x"])]);
    const gone = buildGraph([{ ...flights!, assets: [retired(assetOf("a/x"))] }, ...others], new Map());
    expect(select(gone, parsed("+b/y")).nodes.map(({ key, retired }) => [key, retired])).toEqual([
      ["a/x", true],
      ["b/y", false],
    ]);
  });
});

describe("what matches nothing", () => {
  const unknown = (text: string, options?: SelectOptions) => select(graph, parsed(text), options).unknown;

  it("is named with what was probably meant, and the rest is selected", () => {
    const result = select(graph, parsed("flights/claen or flights/raw"));
    expect(result.nodes.map(({ key }) => key)).toEqual(["flights/raw"]);
    expect(result.unknown).toEqual([
      {
        key: "flights/claen",
        message: "there is no asset flights/claen",
        hint: "Did you mean flights/clean? headgate asset list shows every asset.",
        suggestions: ["flights/clean"],
      },
    ]);
    expect(unknown("flights/clear_raw").map(({ suggestions }) => suggestions)).toEqual([[]]);
    expect(unknown("analytics/airports").map(({ suggestions }) => suggestions)).toEqual([["flights/airports"]]);
  });

  it("is told from what is defined and refused, with the reason", () => {
    expect(unknown("analytics/broken")).toMatchObject([
      {
        message: expect.stringMatching(/^analytics\/broken is refused: analytics\/broken reads analytics\/nothing/),
        hint: expect.stringMatching(/^Mend its definition in location analytics \(definition\.missing_upstream\)/),
      },
    ]);
  });

  it("is found inside not, and, + and parentheses, each part once, in the order of the text", () => {
    const parts = unknown(
      "not +(flights/no or team:no) and flights/* or flights/no or tag:no=x or kind:no or group:no or x/*",
    );
    expect(parts.map(({ key }) => key)).toEqual(["flights/no", "team:no", "tag:no=x", "kind:no", "group:no", "x/*"]);
    expect(parts[5]?.message).toBe("x/* matches no asset");
  });

  it("is a status that nobody can tell, or that does not exist, but not one that no asset has now", () => {
    expect(unknown("status:blocked")).toMatchObject([{ key: "status:blocked", message: "status: is not known here" }]);
    const options = { statusOf: () => "ready", statuses: ["ready", "blocked"] };
    expect(unknown("status:blocked", options)).toEqual([]);
    expect(unknown("status:bloked", options)).toMatchObject([
      { message: 'there is no status "bloked"', hint: "There are status:ready, status:blocked." },
    ]);
  });

  it("is not found in what objects have by nature", () => {
    expect(unknown("tag:constructor").map(({ key }) => key)).toEqual(["tag:constructor"]);
  });
});

describe("a text that is no selection is refused with its column and the remedy", () => {
  it.each([
    ["", 1, "the selection is empty", 'Write an asset key, or "*" for every asset.'],
    ["   ", 1, "the selection is empty", 'Write an asset key, or "*" for every asset.'],
    [
      "a/b c/d",
      5,
      'there is no operator between "a/b" and "c/d"',
      'Write a/b or c/d for both; "and" selects what they share.',
    ],
    ["a/b, +c/d", 4, "a comma joins no selections", 'Write a/b or +c/d for both; "and" selects what they share.'],
    ["a/b,", 4, "a comma joins no selections", 'Write a/b or ... for both; "and" selects what they share.'],
    [
      "a/b+c/d",
      5,
      'there is no operator between "a/b+" and "c/d"',
      'Write a/b+ or c/d for both; "and" selects what they share.',
    ],
    [
      "2+a/b+1+c/d",
      8,
      'there is no operator between "2+a/b+1" and "+c/d"',
      'Write 2+a/b+1 or +c/d for both; "and" selects what they share.',
    ],
    [
      "(a/b or c/d) e/f",
      14,
      'there is no operator between "(a/b or c/d)" and "e/f"',
      'Write (a/b or c/d) or e/f for both; "and" selects what they share.',
    ],
    [
      "a/b (c/d)",
      5,
      'there is no operator between "a/b" and "(...)"',
      'Write a/b or (...) for both; "and" selects what they share.',
    ],
    [
      "a/b + c/d",
      5,
      "this + touches no key",
      'Write +key for all that lies upstream, key+ for downstream, without a space; "or" joins two selections.',
    ],
    [
      "+ a/b",
      1,
      "this + touches no key",
      'Write +key for all that lies upstream, key+ for downstream, without a space; "or" joins two selections.',
    ],
    [
      "a/b or",
      7,
      'nothing to select after "or"',
      "Write an asset key, a glob, a filter such as team:ml, or a selection in parentheses there.",
    ],
    [
      "and a/b",
      1,
      'nothing to select before "and"',
      "Write an asset key, a glob, a filter such as team:ml, or a selection in parentheses there.",
    ],
    [
      "()",
      2,
      'nothing to select before ")"',
      "Write an asset key, a glob, a filter such as team:ml, or a selection in parentheses there.",
    ],
    ["(a/b", 1, 'this "(" is not closed', 'Close it with ")".'],
    ["a/b)", 4, 'there is no "(" for this ")"', 'Remove it, or add a "(" before.'],
    ['"a/b', 1, "a quote is not closed", 'Close it with ".'],
    [
      "clean_flights",
      1,
      '"clean_flights" is no asset key',
      'Write the team too, team/clean_flights; or "*/clean_flights", team:clean_flights, group:clean_flights.',
    ],
    ["Flights/Raw", 1, '"Flights/Raw" is no asset key', expect.stringMatching(/^An asset key is team\/name: .*\.$/)],
    ['"a/*"', 1, '"a/*" is no asset key', expect.stringMatching(/^An asset key is/)],
    [
      "A/*",
      1,
      "A/* is no glob",
      "A glob has the characters of a key and *, which stands for any others: flights/*, */raw_*.",
    ],
    ["a/b && c/d", 5, '"&&" is no operator', "Write and, or, not."],
    ["!a/b", 1, '"!a/b" is no operator', "Write and, or, not."],
    ["taem:ml", 1, 'there is no filter "taem:"', "Did you mean team:? There are team: group: tag: kind: status:."],
    ["owner:x", 1, 'there is no filter "owner:"', "There are team: group: tag: kind: status:."],
    ["team: ml", 1, "team: has no value", "Write it behind the colon without a space: team:example."],
    ["tag:=x", 1, "tag: has no name", "Write tag:name=value, or tag:name for any value."],
    ["group:d*", 1, "group: takes no *", "A filter's value is matched whole; quote the value if * is part of it."],
    ["2 +a/b", 1, '"2" is no asset key', expect.any(String)],
    ["a/b+ 1", 6, 'there is no operator between "a/b+" and "1"', expect.any(String)],
    ["0+a/b", 1, "0 is no distance", "Write 1 to 100000. Leave the number and the + away."],
    ["a/b+9999999", 5, "9999999 is no distance", "Write 1 to 100000. Leave the number away to go all the way."],
  ])("%s", (text, column, message, hint) => {
    expect(parseSelection(text)).toEqual({ ok: false, column, message, hint });
  });

  it("bounds length, nesting and cost, and takes as many plain keys as fit", () => {
    const keys = Array.from({ length: 5_000 }, (_, i) => `a/n${i}`).join(" or ");
    expect(parseSelection(keys).ok).toBe(true);
    expect(parseSelection("a/b or ".repeat(10_000) + "a/b")).toMatchObject({ ok: false, column: 65_537 });
    expect(parseSelection(`${"(".repeat(100)}a/b${")".repeat(100)}`).ok).toBe(true);
    expect(parseSelection(`${"(".repeat(101)}a/b${")".repeat(101)}`)).toMatchObject({ ok: false, column: 101 });
    expect(parseSelection("not ".repeat(101) + "a/b")).toMatchObject({
      message: "the selection is nested deeper than 100",
    });
    expect(parseSelection(Array.from({ length: 256 }, () => "*").join(" or ")).ok).toBe(true);
    expect(parseSelection(Array.from({ length: 257 }, () => "*").join(" or "))).toMatchObject({
      ok: false,
      message: "the selection has more than 256 parts that are not plain keys",
    });
  });
});

it("writes a selection with as few parentheses and quotes as it takes", () => {
  expect(formatSelection(parsed('((a/b) OR (2+c/*+)) AND not(not (team:"ml"))'))).toBe(
    "(a/b or 2+c/*+) and not not team:ml",
  );
  expect(formatSelection(parsed('tag:"a b"="c\\"d" or tag:x= or +(a/b and c/d)+1'))).toBe(
    'tag:"a b"="c\\"d" or tag:x="" or +(a/b and c/d)+1',
  );
});
