import { formatPartitions, ModelError, parsePartitions, partitionSpace, rangeSet, sameSpace } from "@headgate/model";
import type { PartitionsDefinition, PartitionSpace } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const nowMs = Date.parse("2026-11-21T22:00Z");

function windows(cron: string, start: string, more: { timezone?: string; end?: string } = {}): PartitionSpace {
  return partitionSpace({ kind: "timeWindow", cron, timezone: "UTC", start, ...more });
}

const months = windows("0 0 1 * *", "2001-01", { end: "2001-08" });
const days = windows("0 0 * * *", "2026-01-01");
const weeks = windows("0 0 * * 1", "2001");
const hours = windows("0 * * * *", "2026-01-01", { timezone: "Europe/Berlin" });
const colours = partitionSpace({ kind: "static", keys: ["red", "green", "blue"] });
const whole = partitionSpace(undefined);

describe("a partition space", () => {
  it("of months has an exclusive end, and keys outside it are none", () => {
    expect(months.count(nowMs)).toBe(7);
    expect(months.keyAt(6)).toBe("2001-07");
    expect([months.ordinalOf("2000-12"), months.ordinalOf("2001-08")]).toEqual([undefined, undefined]);
    expect(months.windowAt(6)).toEqual({
      startMs: Date.UTC(2001, 6, 1),
      endMs: Date.UTC(2001, 7, 1),
      start: "2001-07-01T00:00:00+00:00",
      end: "2001-08-01T00:00:00+00:00",
    });
    expect(months.windowAt(7)).toBeUndefined();
    expect(() => months.keyAt(7)).toThrow("there is no partition with ordinal 7");
    expect(months.overlapping(-Infinity, Infinity)).toEqual([0, 7]);
  });

  it("has no window before it has ended, and its key is known all the same", () => {
    expect(months.count(Date.UTC(2001, 1, 1) - 1)).toBe(0);
    expect(months.count(Date.UTC(2001, 1, 1))).toBe(1);
    expect(days.ordinalOf("2026-11-21")).toBe(days.count(nowMs));
  });

  it("begins at the first tick at or after the start, and ends at the last one at or before the end", () => {
    const space = windows("0 0 * * 1", "2001-01-02", { end: "2001-01-28" });
    expect([space.count(nowMs), space.keyAt(0), space.keyAt(1)]).toEqual([2, "2001-01-08", "2001-01-15"]);
  });

  it("of an unpartitioned asset is the one empty key, and of static keys those keys in order", () => {
    expect([whole.count(0), whole.keyAt(0), whole.ordinalOf(""), whole.windowAt(0)]).toEqual([1, "", 0, undefined]);
    expect([colours.count(0), colours.keyAt(2), colours.ordinalOf("green")]).toEqual([3, "blue", 1]);
    expect(colours.ordinalOf("constructor")).toBeUndefined();
    expect(colours.overlapping(0, 1)).toEqual([0, 3]);
  });

  it("is the same as another with equal keys, or equal cron, zone and start, whatever the end", () => {
    expect(sameSpace(months, windows("@monthly", "2001-01-01"))).toBe(true);
    expect(sameSpace(months, windows("0  0 1 * *", "2000-12-31T23:30-00:30"))).toBe(true);
    expect(sameSpace(months, windows("0 0 1 * *", "2001-02"))).toBe(false);
    expect(sameSpace(months, windows("0 0 1 * *", "2001-01", { timezone: "Europe/Berlin" }))).toBe(false);
    expect(sameSpace(months, weeks)).toBe(false);
    expect(sameSpace(colours, partitionSpace({ kind: "static", keys: ["red", "green", "blue"] }))).toBe(true);
    expect(sameSpace(colours, partitionSpace({ kind: "static", keys: ["green", "red", "blue"] }))).toBe(false);
    expect([sameSpace(whole, partitionSpace(undefined)), sameSpace(whole, colours), sameSpace(whole, months)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  const month = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01" } as const;
  const refused: [string, PartitionsDefinition, string, string][] = [
    ["a bad minute", { ...month, cron: "61 * * * *" }, "invalid_cron", "61"],
    ["four fields", { ...month, cron: "0 0 1 *" }, "invalid_cron", "five fields"],
    ["six fields", { ...month, cron: "0 0 0 1 * *" }, "invalid_cron", "five fields"],
    ["30 February", { ...month, cron: "0 0 30 2 *" }, "invalid_cron", "never ticks"],
    ["an unknown zone", { ...month, timezone: "Europe/Atlantis" }, "invalid_timezone", "Europe/Atlantis"],
    ["an offset for a zone", { ...month, timezone: "+02:00" }, "invalid_timezone", "+02:00"],
    ["a start that is no date", { ...month, start: "2001-13" }, "invalid_partitions", "2001-13"],
    ["a start long ago", { ...month, start: "1066" }, "invalid_partitions", "out of range"],
    ["an end before the start", { ...month, end: "2000-01" }, "invalid_partitions", "not after start"],
    ["an end before the first window's", { ...month, end: "2001-01-20" }, "invalid_partitions", "fits between"],
    ["no keys", { kind: "static", keys: [] }, "invalid_partitions", "no keys"],
    ["a key twice", { kind: "static", keys: ["a", "b", "a"] }, "invalid_partitions", '"a" is there twice'],
    ["an empty key", { kind: "static", keys: [""] }, "invalid_partitions", "empty"],
    ["a comma in a key", { kind: "static", keys: ["a,b"] }, "invalid_partitions", "selection"],
    ["a range in a key", { kind: "static", keys: ["a..b"] }, "invalid_partitions", "selection"],
    ["a NUL in a key", { kind: "static", keys: ["a\0b"] }, "invalid_partitions", "printed"],
  ];
  it.each(refused)("is refused with %s, in words that say how to mend it", (_, definition, code, text) => {
    let caught: unknown;
    try {
      partitionSpace(definition);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ModelError);
    expect(caught).toMatchObject({ code, message: expect.stringContaining(text), hint: expect.stringMatching(/\w/) });
  });
});

describe("a partition selection", () => {
  it("reads keys, inclusive ranges and lists of both", () => {
    const set = (text: string) => parsePartitions(months, text, nowMs);
    expect(set("2001-03")).toEqual({ ok: true, set: [[2, 3]] });
    expect(set("2001-01..2001-06")).toEqual({ ok: true, set: [[0, 6]] });
    expect(set(" 2001-07, 2001-01 .. 2001-02 ,2001-02")).toEqual({ ok: true, set: [[0, 2], [6, 7]] }); // prettier-ignore
    expect(parsePartitions(colours, "green..blue", nowMs)).toEqual({ ok: true, set: [[1, 3]] });
    expect(parsePartitions(whole, "", nowMs)).toEqual({ ok: true, set: [[0, 1]] });
  });

  it("is written so that it reads back the same", () => {
    const spaces = [months, days, weeks, hours, colours];
    fc.assert(
      fc.property(
        fc.constantFrom(...spaces),
        fc.array(fc.nat(300), { minLength: 1, maxLength: 30 }),
        (space, picks) => {
          const count = space.count(nowMs);
          const set = rangeSet.of(...picks.map((pick) => pick % count));
          expect(parsePartitions(space, formatPartitions(space, set), nowMs)).toEqual({ ok: true, set });
        },
      ),
    );
    expect(formatPartitions(months, rangeSet.of(0, 1, 2, 5))).toBe("2001-01..2001-03,2001-06");
    expect(formatPartitions(whole, rangeSet.of(0))).toBe("");
  });

  const unended = windows("0 0 1 * *", "2026-11");
  const wrong: [PartitionSpace, string, string, string][] = [
    [months, "2001-13", "partition 2001-13 is no month", "write 2001-01 to 2001-12"],
    [months, "2001-08", "partition 2001-08 is outside 2001-01..2001-07", "write 2001-01..2001-07"],
    [months, "2001-03-05", "partition 2001-03-05 is no month", "write 2001-03"],
    [months, "2001", "partition 2001 is no month", "write 2001-01..2001-07"],
    [months, "2001-06..2001-01", "range 2001-06..2001-01 runs backwards", "write 2001-01..2001-06"],
    [months, "2001-01...2001-02", "partition .2001-02 is no month", "write 2001-01..2001-07"],
    [months, "2001-01..", "2001-01.. is no range of partitions", "write the first and the last partition, such as 2001-01..2001-07"],
    [months, "2001-01,", "a partition is missing", "write partitions such as 2001-01..2001-07"],
    [months, "a\nb", 'partition "a\\nb" is no month', "write 2001-01..2001-07"],
    [days, "2025-12-31", "partition 2025-12-31 is before the first, 2026-01-01", "write 2026-01-01..2026-11-20"],
    [days, "2026-02-30", "partition 2026-02-30 is no day", "write 2026-02-01 to 2026-02-28"],
    [days, "2026-02", "partition 2026-02 is no day", "write 2026-02-01..2026-02-28"],
    [days, "2026-11-21", "partition 2026-11-21 has not ended", "it ends at 2026-11-22T00:00:00+00:00; the newest partition is 2026-11-20"],
    [unended, "2026-11", "partition 2026-11 has not ended", "it ends at 2026-12-01T00:00:00+00:00; no partition exists before"],
    [weeks, "2001-01-03", "partition 2001-01-03 is no Monday (partitions are weeks, named by their first day)", "write 2001-01-01"],
    [hours, "2026-10-25T00:00Z", "partition 2026-10-25T00:00Z is no partition start (local time with its offset)", "write 2026-10-25T02:00+02:00"],
    [hours, "2026-10-25", "partition 2026-10-25 is no partition start (local time with its offset)", "write 2026-10-25T00:00+02:00..2026-10-25T23:00+01:00"],
    [colours, "pink", "partition pink does not exist", "write one of red, green, blue"],
    [whole, "2001-01", "partition 2001-01 of an asset without partitions", "leave the partitions out"],
  ]; // prettier-ignore
  it.each(wrong.map(([space, text, message, hint]) => [text, message, hint, space] as const))(
    "of %j is refused: %s: %s",
    (text, message, hint, space) => {
      expect(parsePartitions(space, text, nowMs)).toEqual({ ok: false, message, hint });
    },
  );
});
