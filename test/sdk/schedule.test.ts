import { describe, expect, test } from "vitest";
import {
  type Schedule,
  asset,
  assetSpec,
  dailyPartitions,
  externalAsset,
  monthlyPartitions,
  multiPartitions,
  schedule,
  staticPartitions,
} from "@headgate/sdk";
import { ticksOf } from "@headgate/sdk/testing";
import { described } from "./support/described.ts";

const daily = dailyPartitions({ start: "2026-01-01", timezone: "Europe/Berlin" });
const orders = asset({ key: "shop/orders", compute: () => 1 });
const report = asset({ key: "shop/report", compute: () => 1 });
const clicks = asset({ key: "shop/clicks", partitions: daily, compute: () => 1 });
const monthly = asset({ key: "shop/monthly", partitions: monthlyPartitions({ start: "2026-01" }), compute: () => 1 });

const given = (...schedules: Schedule[]) => described({ assets: [orders, report, clicks, monthly], schedules });

describe("a schedule", () => {
  test("goes into the manifest with its target as a selection and every default written out", () => {
    const { schedules, errors } = given(
      schedule({ name: "shop/nightly", cron: "0 2 * * *", target: [orders, report] }),
      schedule({
        name: "shop/weekdays",
        cron: ["0 9 * * 1-5", "0 12 * * 6"],
        timezone: "America/New_York",
        target: "group:daily",
        config: { "shop/orders": { limit: 5 } },
        tags: { b: "2", a: "1" },
        priority: -3,
        catchUp: { all: 7 },
        status: "off",
        description: "on working days",
      }),
    );
    expect(errors).toEqual({});
    expect(schedules["shop/nightly"]).toEqual({
      name: "shop/nightly",
      description: "",
      crons: ["0 2 * * *"],
      timezone: "UTC",
      selection: "shop/orders or shop/report",
      partitioned: false,
      config: "",
      tags: {},
      priority: 0,
      catchUpMax: 1,
      startsOff: false,
      source: undefined,
    });
    expect(schedules["shop/weekdays"]).toMatchObject({
      crons: ["0 9 * * 1-5", "0 12 * * 6"],
      timezone: "America/New_York",
      selection: "group:daily",
      config: '{"shop/orders":{"limit":5}}',
      priority: -3,
      catchUpMax: 7,
      startsOff: true,
    });
    expect(JSON.stringify(schedules["shop/weekdays"]?.tags)).toBe('{"a":"1","b":"2"}');
  });

  test("that is partitioned ticks when a window of its target closes, unless it has a cron of its own", () => {
    const { schedules, errors } = given(
      schedule({ name: "shop/closed", partitioned: true, target: clicks }),
      schedule({ name: "shop/later", partitioned: true, cron: "0 6 * * *", target: [clicks, report], catchUp: "none" }),
    );
    expect(errors).toEqual({});
    expect(schedules["shop/closed"]).toMatchObject({
      crons: ["0 0 * * *"],
      timezone: "Europe/Berlin",
      partitioned: true,
      catchUpMax: 100,
    });
    expect(schedules["shop/later"]).toMatchObject({ crons: ["0 6 * * *"], timezone: "Europe/Berlin", catchUpMax: 0 });
  });

  test("takes the windows of the dimension that has them", () => {
    const partitions = multiPartitions({ region: staticPartitions(["eu", "us"]), day: daily });
    const sales = asset({ key: "shop/sales", partitions, compute: () => 1 });
    const { schedules } = described({
      assets: [sales],
      schedules: [schedule({ name: "shop/sales", partitioned: true, target: sales })],
    });
    expect(schedules["shop/sales"]).toMatchObject({ crons: ["0 0 * * *"], timezone: "Europe/Berlin" });
  });

  test("that is wrong is refused by itself, in words that say how to mend it", () => {
    const theirs = assetSpec({ key: "finance/ledger" });
    const wrong = (name: string, more: object): Schedule =>
      schedule({ name, cron: "0 2 * * *", target: orders, ...more });
    const { schedules, errors } = given(
      wrong("shop/bad_cron", { cron: "61 * * * *" }),
      wrong("shop/never", { cron: "0 0 31 2 *" }),
      wrong("shop/nowhere", { timezone: "Mars/Olympus" }),
      wrong("shop/no_cron", { cron: undefined }),
      wrong("shop/theirs", { target: [orders, theirs] }),
      wrong("shop/external", { target: externalAsset({ key: "shop/erp" }) }),
      wrong("shop/nothing", { target: [] }),
      wrong("shop/undefined", { target: undefined }),
      wrong("shop/every_window", { target: clicks }),
      wrong("shop/no_windows", { partitioned: true }),
      wrong("shop/two_windows", { partitioned: true, target: [clicks, monthly] }),
      wrong("shop/misspelt", { crom: "0 2 * * *" }),
      wrong("shop/catch", { catchUp: { all: 0 } }),
      wrong("shop/config", { config: { "shop/orders": { at: () => 1 } } }),
      wrong("shop/twice", {}),
      wrong("shop/twice", {}),
      wrong("finance/ours", {}),
      wrong("No name", {}),
      schedule({ name: "shop/good", cron: "0 2 * * *", target: orders }),
    );
    expect(Object.keys(schedules)).toEqual(["shop/good"]);
    expect(errors["shop/bad_cron"]).toMatch(/definition.cron_invalid: schedule shop\/bad_cron: .*61/);
    expect(errors["shop/never"]).toMatch(/definition.cron_invalid: .*never ticks/);
    expect(errors["shop/nowhere"]).toMatch(/definition.timezone_invalid: .*Mars\/Olympus/);
    expect(errors["shop/no_cron"]).toMatch(/has no cron/);
    expect(errors["shop/theirs"]).toMatch(/definition.other_team: .*finance\/ledger, which belongs to team "finance"/);
    expect(errors["shop/external"]).toMatch(/external/);
    expect(errors["shop/nothing"]).toMatch(/has no assets/);
    expect(errors["shop/undefined"]).toMatch(/"target" of schedule shop\/undefined is missing and not an asset/);
    expect(errors["shop/every_window"]).toMatch(/definition.partitioned_target/);
    expect(errors["shop/no_windows"]).toMatch(/definition.not_partitioned/);
    expect(errors["shop/two_windows"]).toMatch(/definition.partitions_differ: .*shop\/clicks.*shop\/monthly/);
    expect(errors["shop/misspelt"]).toMatch(/definition.unknown_field: .*"crom"/);
    expect(errors["shop/catch"]).toMatch(/"catchUp" .* from 1 to 1000/);
    expect(errors["shop/config"]).toMatch(/is not JSON/);
    expect(errors["shop/twice"]).toMatch(/definition.duplicate: The schedule shop\/twice is defined twice/);
    expect(Object.values(errors).join("\n")).toMatch(/finance\/ours would belong to team "finance"/);
    expect(Object.values(errors).join("\n")).toMatch(/"No name" is not the name of a schedule/);
  });
});

describe("the ticks of a schedule, without a server", () => {
  const nightly = schedule({ name: "shop/nightly", cron: "30 2 * * *", timezone: "Europe/Berlin", target: orders });

  test("are those that the control plane fires, over a change of clocks", () => {
    const range = { from: "2026-03-28T00:00:00Z", to: new Date("2026-03-31T00:00:00Z") };
    expect(ticksOf(nightly, range).map(({ local }) => local)).toEqual([
      "2026-03-28T02:30:00+01:00",
      "2026-03-29T03:00:00+02:00",
      "2026-03-30T02:30:00+02:00",
    ]);
  });

  test("of a partitioned one name the windows that each makes", () => {
    const weekly = schedule({ name: "shop/weekly", cron: "0 6 * * 1", partitioned: true, target: [report, clicks] });
    const [tick, ...more] = ticksOf(weekly, { from: "2026-03-30T00:00:00Z", to: "2026-04-05T00:00:00Z" });
    expect(more).toEqual([]);
    expect(tick?.windows.map(({ key }) => key)).toEqual([23, 24, 25, 26, 27, 28, 29].map((day) => `2026-03-${day}`));
    expect(tick?.windows.at(-1)).toMatchObject({ end: new Date("2026-03-29T22:00:00Z") });
  });

  test("are refused where they are too many, or not known here", () => {
    const often = schedule({ name: "shop/often", cron: "* * * * *", target: orders });
    expect(() => ticksOf(often, { from: "2026-01-01", to: "2026-02-01" })).toThrow("more than 10000 ticks");
    const selected = schedule({ name: "shop/any", partitioned: true, cron: "0 6 * * 1", target: "group:daily" });
    expect(() => ticksOf(selected, { from: "2026-01-01", to: "2026-02-01" })).toThrow("control plane alone");
    expect(() => ticksOf(nightly, { from: "yesterday", to: "2026-02-01" })).toThrow("no instant");
  });
});
