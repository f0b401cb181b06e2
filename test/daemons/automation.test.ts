import { v7 as newId } from "uuid";
import { afterEach, describe, expect, test } from "vitest";
import { Automation } from "../../control-plane/src/daemons/automation.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation, succeeded } from "../support/fake-location.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  // Whatever happened: the history keeps every rule.
  expect(violations).toEqual([]);
});

const onMissing = { automation: { kind: "onMissing" } } as const;
const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2001-08" } as const;
const monthly = { partitions: months, ...onMissing };
const flights = [
  locationOf(
    "flights",
    [
      assetOf("flights/raw", [], monthly),
      assetOf("flights/clean", ["flights/raw"], monthly),
      assetOf("flights/airports", [], onMissing),
    ],
    [checkOf("flights/raw", "enough")],
  ),
  locationOf("analytics", [
    assetOf("analytics/delays", ["flights/clean", "flights/airports"], monthly),
    assetOf(
      "analytics/summary",
      [{ asset: "analytics/delays", mode: "lastValidated", mapping: { kind: "all" }, atLeast: 1 }],
      onMissing,
    ),
  ]),
];
const julyFails = () => [
  new FakeLocation("flights", {
    credits: 3,
    compute: ({ command }) => succeeded(command, command.partition === "2001-07" ? { enough: "failed" } : {}),
  }),
  new FakeLocation("analytics", { credits: 2 }),
];
const atRest = `select from versions where asset_key = 'analytics/summary'
  and not exists (select from runs where ended_at is null)`;

describe("automation", () => {
  for (const count of [1, 2]) {
    test(`fills the graph with ${String(count)} daemon(s): July is shut in two teams, the summary is made once, of six months`, async () => {
      engine = await Engine.open(flights);
      const locations = julyFails();
      for (let n = 0; n < count; n++) {
        const daemon = await engine.startDaemon();
        const listener = () => daemon.drive.contact;
        for (const location of locations) location.connect(listener);
      }
      await engine.until(atRest, [], 25_000);
      for (const daemon of engine.daemons) await daemon.automation.settle();
      const { rows } = await engine.pool.query<{ asset: string; count: number }>(
        "select asset_key as asset, count(*) as count from versions group by 1 order by 1",
      );
      expect(rows).toEqual([
        { asset: "analytics/delays", count: 6 },
        { asset: "analytics/summary", count: 1 },
        { asset: "flights/airports", count: 1 },
        { asset: "flights/clean", count: 6 },
        { asset: "flights/raw", count: 7 },
      ]);
      const { rows: held } = await engine.pool.query<{ place: string; check: string }>(
        `select distinct asset_key || ' ' || partition_key as place, reasons -> 0 ->> 'check' as check
         from decisions where source = 'automation' order by 1`,
      );
      expect(held).toEqual([
        { place: "analytics/delays 2001-07", check: "enough" },
        { place: "flights/clean 2001-07", check: "enough" },
      ]);
      const inputs = `from versions, jsonb_array_elements(inputs) i where asset_key = 'analytics/summary'
        and jsonb_array_length(i -> 'versions') = 6 and i -> 'leftOut' = '["2001-07"]'`;
      expect(await engine.count(inputs)).toBe(1);
      expect(await engine.count("from automation_requests")).toBe(21);
      expect(await engine.count("from audit where action = 'run.create' and actor like 'automation:%'")).toBe(
        await engine.count("from runs"),
      );
    });
  }

  test("requests each partition once when two evaluate at the same moment", async () => {
    engine = await Engine.open(flights);
    const automations = [1, 2, 3].map(
      () =>
        new Automation({
          pool: engine.pool,
          graph: () => engine.mirror.current(),
          now: Date.now,
          newId,
          requested: () => undefined,
          failed: (error) => engine.complaints.push(String(error)),
        }),
    );
    await Promise.all(automations.map((automation) => automation.settle()));
    await Promise.all(automations.map((automation) => automation.stop()));
    expect(engine.complaints).toEqual([]);
    const { rows } = await engine.pool.query(
      "select asset_key, partition_key, count(*) as count from steps where kind = 'materialize' group by 1, 2 having count(*) > 1",
    );
    expect(rows).toEqual([]);
    expect(await engine.count("from steps where kind = 'materialize'")).toBe(8);
    expect(await engine.count("from automation_requests")).toBe(8);
  });

  test("goes on by itself when a new version opens the gate", async () => {
    engine = await Engine.open(flights);
    let july: "passed" | "failed" = "failed";
    const locations = [
      new FakeLocation("flights", {
        compute: ({ command }) => succeeded(command, command.partition === "2001-07" ? { enough: july } : {}),
      }),
      new FakeLocation("analytics"),
    ];
    await engine.startDaemon(locations);
    await engine.until(atRest, [], 25_000);
    july = "passed";
    expect(await engine.run("flights/raw", { partitions: "2001-07" })).toBe("succeeded");
    await engine.until(
      "select from versions where asset_key = 'analytics/delays' and partition_key = '2001-07'",
      [],
      25_000,
    );
  });
});
