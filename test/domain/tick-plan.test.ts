import type { PartitionsDefinition } from "@headgate/model";
import { describe, expect, test } from "vitest";
import type { ScheduleDefinition } from "../../control-plane/src/domain/definitions.ts";
import { type LocationSegment, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { type TickPlan, planTick } from "../../control-plane/src/domain/tick-plan.ts";
import { assetOf, locationOf, scheduleOf } from "../support/graph-definitions.ts";

const daily = { kind: "timeWindow", cron: "0 0 * * *", timezone: "Europe/Berlin", start: "2026-01-01" } as const;
const static_ = { kind: "static", keys: ["eu", "us"] } as const;
const multi: PartitionsDefinition = {
  kind: "multi",
  dimensions: [
    { name: "region", definition: static_ },
    { name: "day", definition: daily },
  ],
};
const at = (text: string): number => Date.parse(text);

const assets = [
  assetOf("a/orders", [], { group: "daily" }),
  assetOf("a/report", ["a/orders"], { group: "daily" }),
  assetOf("a/clicks", [], { partitions: daily }),
  assetOf("a/sessions", ["a/clicks"], { partitions: { ...daily, start: "2026-02-01" } }),
  assetOf("a/sales", [], { partitions: multi }),
  assetOf("a/regions", [], { partitions: static_ }),
  assetOf("a/hours", [], { partitions: { ...daily, cron: "0 * * * *" } }),
  assetOf("a/erp", [], { external: { unversioned: false, hasValue: false } }),
  assetOf("a/dials", [], { configSchema: { type: "object", properties: { limit: { type: "integer" } } } }),
];
const other = locationOf("b", [assetOf("b/raw", [], { group: "daily" })]);

/** What a schedule of team `a` with this definition launches at an instant: "selection partitions: steps". */
function launched(cron: string, rest: Partial<ScheduleDefinition>, instant = "2026-03-30T02:00Z"): string[] | TickPlan {
  const segments: LocationSegment[] = [
    locationOf("a", assets, [], { schedules: [scheduleOf("a/s", cron, rest)] }),
    other,
  ];
  const graph = buildGraph(segments, new Map());
  const schedule = graph.schedules.get("a/s");
  if (schedule === undefined) throw new Error(JSON.stringify(graph.errors));
  const plan = planTick(graph, schedule, at(instant), at(instant) + 500);
  if (plan.kind !== "launch") return plan;
  return plan.runs.map(({ selection, partitions, plan: { steps, leftOut = [] } }) => {
    const made = steps.map((step) => `${step.asset}${step.partition && ` ${step.partition}`}`);
    return `${selection} [${partitions}]: ${made.join(", ")}${leftOut.length > 0 ? ` without ${leftOut.join()}` : ""}`;
  });
}

const windows = (selection: string, cron = "0 0 * * *", instant?: string) =>
  launched(cron, { selection, partitioned: true, timezone: "Europe/Berlin" }, instant);

describe("a tick", () => {
  test("launches one run of what the schedule selects, upstream first", () => {
    expect(launched("0 2 * * *", { selection: "a/report or a/orders" })).toEqual([
      "a/orders or a/report []: a/orders, a/report",
    ]);
    expect(launched("0 2 * * *", { selection: "a/regions" })).toEqual(["a/regions []: a/regions eu, a/regions us"]);
  });

  test("launches nothing of another team, and what is external is left out", () => {
    expect(launched("0 2 * * *", { selection: "group:daily" })).toEqual([
      "a/orders or a/report []: a/orders, a/report",
    ]);
    expect(launched("0 2 * * *", { selection: "b/raw or a/orders" })).toEqual(["a/orders []: a/orders"]);
    expect(launched("0 2 * * *", { selection: "a/erp or a/orders" })).toEqual(["a/orders []: a/orders without a/erp"]);
  });

  test("of a partitioned schedule launches a run for each window that closed since the cron's instant before", () => {
    expect(windows("a/clicks", "0 0 * * *", "2026-03-29T22:00Z")).toEqual([
      "a/clicks [2026-03-29]: a/clicks 2026-03-29",
    ]);
    expect(windows("a/clicks", "0 6 * * 1", "2026-03-30T04:00Z")).toMatchObject({
      length: 7,
      0: "a/clicks [2026-03-23]: a/clicks 2026-03-23",
      6: "a/clicks [2026-03-29]: a/clicks 2026-03-29",
    });
  });

  test("gives every window to one tick, over a change of clocks too", () => {
    const made: string[] = [];
    for (const hour of [0, 6, 12, 18]) {
      for (const day of [28, 29, 30]) {
        const offset = day === 28 || (day === 29 && hour < 3) ? "+01:00" : "+02:00";
        const text = `2026-03-${day}T${String(hour).padStart(2, "0")}:00${offset}`;
        const plan = windows("a/clicks", "0 0,6,12,18 * * *", text);
        if (Array.isArray(plan)) made.push(...plan.map((line) => line.slice(-10)));
        else expect(plan).toMatchObject({ kind: "skip" });
      }
    }
    expect(made.sort()).toEqual(["2026-03-27", "2026-03-28", "2026-03-29"]);
  });

  test("makes all that lies in a window: of other dimensions every key, and what has no windows with it", () => {
    expect(windows("a/sales or a/orders", "0 0 * * *", "2026-03-29T22:00Z")).toEqual([
      "a/orders or a/sales [region=eu..us,day=2026-03-29]: a/orders, a/sales region=eu,day=2026-03-29, a/sales region=us,day=2026-03-29",
    ]);
  });

  test("leaves out what has not begun in a window, and is skipped where nothing has", () => {
    expect(windows("a/clicks or a/sessions", "0 0 * * *", "2026-01-20T23:00Z")).toEqual([
      "a/clicks [2026-01-20]: a/clicks 2026-01-20",
    ]);
    expect(windows("a/sessions", "0 0 * * *", "2026-01-20T23:00Z")).toMatchObject({
      kind: "skip",
      reason: "the target has no partition 2026-01-20",
    });
    expect(windows("a/clicks", "0 0,12 * * *", "2026-03-30T10:00Z")).toMatchObject({
      kind: "skip",
      reason: "no window of the target closed since the tick before",
    });
  });

  const refusals: readonly (readonly [string, Partial<ScheduleDefinition>, string])[] = [
    ["an asset that nobody defines", { selection: "a/nowhere" }, "asset.unknown"],
    ["a selection of nothing", { selection: "group:nothing" }, "selection.empty"],
    ["assets of another team alone", { selection: "b/raw" }, "selection.empty"],
    ["what is external alone", { selection: "a/erp" }, "asset.external"],
    ["time windows without being partitioned", { selection: "a/clicks" }, "schedule.partitioned_target"],
    [
      "no time windows though it is partitioned",
      { selection: "a/orders", partitioned: true },
      "schedule.not_partitioned",
    ],
    ["windows that differ", { selection: "a/clicks or a/hours", partitioned: true }, "schedule.partitions_differ"],
    ["config that nobody takes", { selection: "a/orders", config: { "a/orders": { limit: 1 } } }, "config.invalid"],
    ["config of a wrong type", { selection: "a/dials", config: { "a/dials": { limit: "x" } } }, "config.invalid"],
    [
      "config of an asset that it does not launch",
      { selection: "a/orders", config: { "a/dials": {} } },
      "config.unknown_asset",
    ],
  ];
  test.each(refusals)("is refused with %s", (_, rest, code) => {
    expect(launched("0 2 * * *", rest)).toMatchObject({ kind: "refused", code });
  });

  test("is refused rather than making thousands of windows at once", () => {
    const yearly = launched("0 0 1 1 *", { selection: "a/hours", partitioned: true }, "2026-01-01T00:00Z");
    expect(yearly).toMatchObject({ kind: "refused", code: "schedule.too_many_windows" });
  });
});
