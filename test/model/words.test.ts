import {
  canonicalJson,
  cleanText,
  formatDurationMs,
  ModelError,
  parseAssetKey,
  parseDurationMs,
  teamOf,
} from "@headgate/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

describe("asset keys", () => {
  it("are accepted by the rule and name their team", () => {
    for (const text of ["flights/raw_flights", "a/b", "team-1/2/x_/y/z", `${"a".repeat(63)}/b`]) {
      const key = parseAssetKey(text);
      expect(key).toBe(text);
      expect(key && teamOf(key)).toBe(text.split("/")[0]);
    }
  });

  it("are refused with one segment or six, empty or long segments, capitals, other characters, or over 255 in all", () => {
    const long = Array.from({ length: 5 }, () => "a".repeat(60)).join("/");
    expect(long.length).toBeGreaterThan(255);
    const wrong = [
      "",
      "flights",
      "a//b",
      "/a/b",
      "a/b/",
      "a/b/c/d/e/f",
      "A/b",
      "a/_b",
      "a/-b",
      "a/b c",
      "a/b\n",
      "ä/b",
    ];
    for (const text of [...wrong, `${"a".repeat(64)}/b`, long]) expect(parseAssetKey(text), text).toBeUndefined();
  });
});

describe("durations", () => {
  it("are read in their units", () => {
    const expected = {
      "30s": 30_000,
      "5m": 300_000,
      "2h": 7_200_000,
      "7d": 604_800_000,
      "1w": 604_800_000,
      "250ms": 250,
    };
    for (const [text, ms] of Object.entries(expected)) expect(parseDurationMs(text)).toBe(ms);
    for (const text of ["", "5", "m", "-5m", "1.5h", "5 m", "5M", "1h30m", "999999999999w"]) {
      expect(parseDurationMs(text), text).toBeUndefined();
    }
  });

  it("are written in the largest unit that divides them, and read back the same", () => {
    expect([0, 90_000, 3_600_000, 604_800_000, 1_500].map(formatDurationMs)).toEqual([
      "0s",
      "90s",
      "1h",
      "1w",
      "1500ms",
    ]);
    fc.assert(
      fc.property(fc.maxSafeNat(), (ms) => {
        const wholeMs = ms % 10 ** 12;
        expect(parseDurationMs(formatDurationMs(wholeMs))).toBe(wholeMs);
      }),
    );
    expect(() => formatDurationMs(-1)).toThrow(RangeError);
  });
});

/** UTF-8 cannot say a lone surrogate, so text that has one does not come back. */
const wellFormed = (text: string): boolean => Buffer.from(text, "utf8").toString("utf8") === text;

describe("clean text", () => {
  it("loses NUL and lone surrogates and nothing else", () => {
    expect(cleanText("a\0b\ud800c\udc00d😀e\ud83d")).toBe("abcd😀e");
    const anything = fc.array(fc.nat(0xffff), { maxLength: 30 }).map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(fc.oneof(anything, fc.string({ unit: "binary" })), (text) => {
        const clean = cleanText(text);
        expect(wellFormed(clean)).toBe(true);
        expect(clean).not.toContain("\0");
        // What is left of either side once both lose everything that could have been taken away is the same.
        const kept = (value: string): string => [...value].filter((c) => c !== "\0" && wellFormed(c)).join("");
        expect(clean).toBe(kept(text));
      }),
    );
  });
});

describe("canonical JSON", () => {
  it("prints the example of RFC 8785 as the RFC does", () => {
    const example = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
      literals: [null, true, false],
    };
    expect(canonicalJson(example)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("sorts members by UTF-16 code units, as RFC 8785 asks, and not by code points or locale", () => {
    const members = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
    const values = [...canonicalJson(members).matchAll(/:(\d)/g)].map((match) => match[1]);
    expect(values).toEqual(["2", "4", "6", "7", "1", "5", "3"]);
  });

  it("does not depend on the order of members, and JSON.parse reads the same value back", () => {
    const reordered = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reordered);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, member]) => [name, reordered(member)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(reordered(value))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("refuses what JSON cannot say, and says where it is", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    for (const value of [
      Number.NaN,
      Infinity,
      1n,
      undefined,
      () => 1,
      Symbol("x"),
      "\ud800",
      new Map(),
      [undefined],
      cycle,
    ]) {
      expect(() => canonicalJson(value)).toThrow(ModelError);
    }
    expect(() => canonicalJson({ a: [{ b: Number.NaN }] })).toThrow(
      "the value at a[0].b is NaN, which JSON cannot say",
    );
  });

  it("leaves out undefined members and honours toJSON, as JSON.stringify does", () => {
    const value = { b: undefined, a: new Date(0) };
    expect(canonicalJson(value)).toBe('{"a":"1970-01-01T00:00:00.000Z"}');
  });
});
