import type pg from "pg";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Schedules } from "../../control-plane/src/daemons/schedules.ts";
import type { ScheduleDefinition } from "../../control-plane/src/domain/definitions.ts";
import { dyingPool } from "../support/dying-pool.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation } from "../support/fake-location.ts";
import { assetOf, locationOf, scheduleOf } from "../support/graph-definitions.ts";
import { oracleTicks } from "../support/tick-oracle.ts";

/* "A tick is a row, unique on (schedule, scheduled instant), written in the transaction that creates its runs." */

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.open();
});
afterAll(() => engine.close());

/** The clock of every daemon here: it stands until it is turned. */
let nowMs = Date.UTC(2026, 0, 1);
let daemons: Schedules[] = [];
const complaints: unknown[] = [];

beforeEach(async () => {
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  daemons = [];
  complaints.length = 0;
  await engine.pool.query("truncate automations, ticks, runs, steps, audit cascade");
});

function startDaemon(pool: pg.Pool = engine.pool): Schedules {
  const daemon = new Schedules({
    pool,
    graph: () => engine.mirror.current(),
    graphIsOld: () => undefined,
    now: () => nowMs,
    // The clock is turned by hand, and so are the alarms.
    alarm: () => () => undefined,
    newId,
    fired: () => undefined,
    failed: (error) => void complaints.push(error),
  });
  daemon.changed();
  daemons.push(daemon);
  return daemon;
}

/** Defines schedules of one asset, as if since that time. */
async function define(sinceMs: number, schedules: readonly ScheduleDefinition[]): Promise<void> {
  nowMs = sinceMs;
  await engine.define(locationOf("a", [assetOf("a/x")]));
  await engine.define(locationOf("a", [assetOf("a/x")], [], { schedules }));
  await engine.pool.query("update automations set watermark = $1", [new Date(sinceMs)]);
}

async function turnTo(toMs: number): Promise<void> {
  nowMs = toMs;
  await Promise.all(daemons.map((daemon) => daemon.settled()));
}

interface Recorded {
  readonly scheduled: number;
  readonly state: string;
  readonly runs: number;
  readonly missed: number | null;
}

/** The ticks of a schedule with how many runs each has, by instant. */
async function recorded(name: string): Promise<Recorded[]> {
  const { rows } = await engine.pool.query<Recorded>(
    `select floor(extract(epoch from scheduled_at) * 1000)::bigint as scheduled, state, missed_count as missed,
       (select count(*)::integer from runs r where r.tick_id = t.id) as runs
     from ticks t where automation = $1 order by scheduled_at`,
    [name],
  );
  return rows;
}

const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

describe("the ticks that two daemons record", () => {
  const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"];
  const crons = ["0 2 * * *", "30 2 * * *", "0 2,14 * * *", "0 */2 * * *", "*/15 * * * *"];
  /** Days on which clocks change somewhere. */
  const changes = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"];
  const names = zones.flatMap((zone) =>
    crons.map((cron, n) => ({ name: `a/${zone.toLowerCase().replaceAll(/\W/g, "_")}_${n}`, zone, cron })),
  );

  test("around every change of clocks are those of the calendar, each once, each with its run", async () => {
    const spans = changes.map((day) => [Date.parse(day) - 12 * hourMs, Date.parse(day) + 24 * hourMs] as const);
    await define(
      spans[0]?.[0] ?? 0,
      names.map(({ name, zone, cron }) =>
        scheduleOf(name, cron, { timezone: zone, selection: "a/x", catchUpMax: 1_000 }),
      ),
    );
    for (const [fromMs, toMs] of spans) {
      nowMs = fromMs;
      await engine.pool.query("update automations set watermark = $1", [new Date(fromMs)]);
      for (const daemon of daemons) daemon.changed();
      if (daemons.length === 0) [1, 2].forEach(() => startDaemon());
      // By steps that fit no cron, of which some are a restart's worth.
      for (let step = 1; nowMs < toMs; step++)
        await turnTo(Math.min(nowMs + ((step * 7) % 11) * 53 * 60_000 + 60_000, toMs));
      await turnTo(toMs + 1_000); // Whoever left a schedule to the other looks again.
    }
    expect(complaints).toEqual([]);
    for (const { name, zone, cron } of names) {
      const ticks = await recorded(name);
      const expected = spans.flatMap(([fromMs, toMs]) => oracleTicks([cron], zone, fromMs + minuteMs, toMs + minuteMs));
      expect(ticks.map(({ scheduled }) => iso(scheduled))).toEqual(expected.map(iso));
      expect(ticks.every(({ state, runs }) => state === "launched" && runs === 1)).toBe(true);
    }
    expect(await engine.violations()).toEqual([]);
  }, 60_000);
});

/** Until the server has seen that whoever was killed is gone, and has rolled back what that left open. */
async function deathIsNoticed(): Promise<void> {
  await engine.until(
    `select 1 where not exists (select from pg_stat_activity where datname = current_database()
       and pid <> pg_backend_pid() and xact_start is not null and backend_type = 'client backend')`,
  );
}

describe("a kill", () => {
  const phases = [
    "for no key update skip locked",
    "insert into ticks",
    "insert into runs",
    "insert into steps",
    "insert into audit",
    "update automations",
    "append_events",
    "commit",
  ].flatMap((text) => (["before", "after"] as const).map((when) => [when, text] as const));

  test.each(phases)("%s %s loses no tick and doubles none", async (when, text) => {
    const startMs = Date.UTC(2026, 4, 1);
    await define(startMs, [
      scheduleOf("a/one", "0 * * * *", { selection: "a/x", catchUpMax: 10 }),
      scheduleOf("a/two", "30 * * * *", { selection: "a/x", catchUpMax: 10 }),
    ]);
    const killed = startDaemon(dyingPool(engine.pool, text, when));
    await turnTo(startMs + 3 * hourMs);
    expect(complaints.length).toBeGreaterThan(0);
    await killed.stop();
    daemons = [];
    await deathIsNoticed();
    startDaemon();
    await turnTo(startMs + 4 * hourMs);
    for (const [name, minute] of [
      ["a/one", 60],
      ["a/two", 30],
    ] as const) {
      const ticks = await recorded(name);
      expect(ticks).toEqual(
        [0, 1, 2, 3].map((hour) => ({
          scheduled: startMs + hour * hourMs + minute * 60_000,
          state: "launched",
          runs: 1,
          missed: null,
        })),
      );
    }
  });
});

describe("after a time without any daemon", () => {
  test("each schedule catches up by its policy, and says how many ticks it leaves out", async () => {
    const startMs = Date.UTC(2026, 5, 1);
    const policy = (name: string, catchUpMax: number) =>
      scheduleOf(name, "0 2 * * *", { selection: "a/x", catchUpMax });
    await define(startMs, [policy("a/latest", 1), policy("a/all", 3), policy("a/none", 0)]);
    startDaemon();
    await turnTo(startMs + 4 * dayMs + 12 * hourMs);
    const at2 = (day: number) => startMs + (day - 1) * dayMs + 2 * hourMs;
    const launched = (day: number) => ({ scheduled: at2(day), state: "launched", runs: 1, missed: null });
    const missed = (day: number, count: number) => ({ scheduled: at2(day), state: "missed", runs: 0, missed: count });
    expect(await recorded("a/latest")).toEqual([missed(4, 4), launched(5)]);
    expect(await recorded("a/all")).toEqual([missed(2, 2), launched(3), launched(4), launched(5)]);
    expect(await recorded("a/none")).toEqual([missed(5, 5)]);
    await turnTo(at2(6) + 500);
    expect(await recorded("a/none")).toEqual([missed(5, 5), launched(6)]);
  });

  test("a clock that is set back fires nothing twice, and one that is set forward loses nothing", async () => {
    const startMs = Date.UTC(2026, 6, 1);
    await define(startMs, [scheduleOf("a/hourly", "0 * * * *", { selection: "a/x", catchUpMax: 100 })]);
    startDaemon();
    await turnTo(startMs + 3 * hourMs);
    await turnTo(startMs + hourMs);
    await turnTo(startMs + 2 * hourMs);
    startDaemon();
    await turnTo(startMs + 8 * hourMs);
    expect((await recorded("a/hourly")).map(({ scheduled }) => (scheduled - startMs) / hourMs)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8,
    ]);
  });
});

describe("a tick", () => {
  test("that cannot be planned is recorded with why, and keeps no other from firing", async () => {
    const startMs = Date.UTC(2026, 7, 1);
    await define(startMs, [
      scheduleOf("a/broken", "0 * * * *", { selection: "a/nowhere" }),
      scheduleOf("a/good", "0 * * * *", { selection: "a/x", tags: { from: "test" }, priority: 7 }),
    ]);
    startDaemon();
    await turnTo(startMs + hourMs);
    expect(await recorded("a/broken")).toMatchObject([{ state: "failed", runs: 0 }]);
    expect(await recorded("a/good")).toMatchObject([{ state: "launched", runs: 1 }]);
    const { rows: failures } = await engine.pool.query(
      "select error ->> 'code' as code from ticks where state = 'failed'",
    );
    expect(failures).toEqual([{ code: "asset.unknown" }]);
    const { rows: runs } = await engine.pool.query(
      "select source, actor, selection, tags, priority, step_count from runs",
    );
    expect(runs).toEqual([
      {
        source: "schedule",
        actor: "schedule:a/good",
        selection: "a/x",
        tags: { from: "test" },
        priority: 7,
        step_count: 1,
      },
    ]);
    const { rows: events } = await engine.pool.query<{ line: string }>(
      "select concat_ws(' ', kind, payload ->> 'automation', payload ->> 'source') as line from events where at > now() - interval '5 s' and (kind like 'tick_%' or kind = 'run_queued') order by seq desc limit 3",
    );
    expect(events.map(({ line }) => line).sort()).toEqual([
      "run_queued schedule",
      "tick_failed a/broken",
      "tick_launched a/good",
    ]);
  });

  test("of a schedule that is off is never due, whoever says so", async () => {
    const startMs = Date.UTC(2026, 8, 1);
    await define(startMs, [
      scheduleOf("a/begins_off", "0 * * * *", { selection: "a/x", startsOff: true }),
      scheduleOf("a/stopped", "0 * * * *", { selection: "a/x" }),
      scheduleOf("a/started", "0 * * * *", { selection: "a/x", startsOff: true }),
    ]);
    await engine.pool.query(
      "update automations set is_on = name = 'a/started', switched_by = 'ada', switched_at = now() where name <> 'a/begins_off'",
    );
    startDaemon();
    await turnTo(startMs + hourMs);
    const { rows } = await engine.pool.query("select automation from ticks");
    expect(rows).toEqual([{ automation: "a/started" }]);
  });

  test("of a definition that changed meanwhile waits for the newer graph", async () => {
    const startMs = Date.UTC(2026, 9, 1);
    await define(startMs, [scheduleOf("a/moved", "0 * * * *", { selection: "a/x" })]);
    startDaemon();
    await turnTo(startMs + 1);
    await engine.pool.query("update automations set cadence = '30 * * * * UTC'");
    await turnTo(startMs + hourMs);
    expect(await recorded("a/moved")).toEqual([]);
    await engine.pool.query("update automations set cadence = '0 * * * * UTC'");
    await turnTo(startMs + hourMs + 1_000);
    expect(await recorded("a/moved")).toMatchObject([{ state: "launched" }]);
  });
});

test("a thousand schedules that are due together are a few transactions, whatever one of them is like", async () => {
  const startMs = Date.UTC(2026, 10, 1);
  const many = Array.from({ length: 1_000 }, (_, n) => scheduleOf(`a/s${n}`, "0 * * * *", { selection: "a/x" }));
  await define(startMs, many);
  let commits = 0;
  const counting = new Proxy(engine.pool, {
    get: (target, name) => {
      if (name === "connect") commits++;
      return Reflect.get(target, name) as unknown;
    },
  });
  startDaemon(counting);
  await turnTo(startMs + hourMs);
  expect(await engine.count("from ticks where state = 'launched'")).toBe(1_000);
  expect(await engine.count("from runs where source = 'schedule'")).toBe(1_000);
  expect(commits).toBeLessThan(10);
});

test("a daemon fires what is due by its own timer, drives the run, and hears at once of a schedule that is started", async () => {
  const dueMs = Date.now() - 30_000;
  const cron = (ms: number): string => `${new Date(ms).getUTCMinutes()} ${new Date(ms).getUTCHours()} * * *`;
  await define(dueMs - 2 * dayMs, [
    scheduleOf("a/daily", cron(dueMs), { selection: "a/x" }),
    scheduleOf("a/off", cron(dueMs), { selection: "a/x", startsOff: true }),
  ]);
  await engine.startDaemon([new FakeLocation("a")]);
  const ended =
    "select 1 from runs r join ticks t on t.id = r.tick_id where t.automation = $1 and r.state = 'succeeded'";
  await engine.until(ended, ["a/daily"]);
  const { rows } = await engine.pool.query(
    "select state from ticks where automation = 'a/daily' order by scheduled_at",
  );
  expect(rows).toEqual([{ state: "missed" }, { state: "launched" }]);
  await engine.pool.query(
    "update automations set is_on = true, switched_by = 'ada', switched_at = now() where name = 'a/off'",
  );
  await engine.pool.query("select pg_notify('headgate_schedules', '')");
  await engine.until(ended, ["a/off"]);
});
