import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { afterEach, describe, expect, test } from "vitest";
import { appendEvents } from "../../control-plane/src/storage/append-events.ts";
import { bumpGate } from "../../control-plane/src/storage/bump-gate.ts";
import { insertDaemon } from "../../control-plane/src/storage/daemons.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation, Pause, succeeded } from "../support/fake-location.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  expect(violations).toEqual([]);
});

async function insertWaiver(lasts: string): Promise<void> {
  await withTransaction(engine.pool, async (tx) => {
    await bumpGate(tx, "a/raw");
    const waiver = randomUUID();
    const { rows } = await tx.query<{ version: string }>(
      `insert into waivers (id, version_id, asset_key, partition_key, team, name, reason, actor, until)
       select $1, id, asset_key, '', 'a', 'enough', 'known', 'ada', clock_timestamp() + $2::interval from versions
       where asset_key = 'a/raw' order by seq desc limit 1 returning version_id as version`,
      [waiver, lasts],
    );
    const details = { waiver, version: rows[0]?.version };
    await tx.query("insert into audit (actor, action, subject, details) values ('ada', 'waiver.create', 'a/raw', $1)", [
      JSON.stringify(details),
    ]);
    await appendEvents(tx, [{ kind: "waiver_created", assetKey: "a/raw", partitionKey: "", payload: details }]);
  });
  await engine.pool.query("select pg_notify('headgate_events', '')");
}

describe("a daemon", () => {
  test("takes over at once from one whose process on this host is proven to be gone", async () => {
    engine = await Engine.open([locationOf("a", [assetOf("a/one")])]);
    const gone = randomUUID();
    await insertDaemon(engine.pool, { id: gone, host: hostname(), pid: 4_000_000, processStart: "1" });
    const run = await engine.launch("a/one");
    await engine.pool.query("update runs set driver = $2, state = 'started', epoch = 1 where id = $1", [run, gone]);
    await engine.startDaemon([new FakeLocation("a")], { isAlive: (pid) => pid !== 4_000_000 });
    expect(await engine.ended(run)).toBe("succeeded");
    expect(await engine.count("from daemons")).toBe(1);
  });

  test("leaves the runs of one that lives alone", async () => {
    engine = await Engine.open([locationOf("a", [assetOf("a/one")])]);
    const other = randomUUID();
    await insertDaemon(engine.pool, { id: other, host: hostname(), pid: 1, processStart: "1" });
    const run = await engine.launch("a/one");
    await engine.pool.query("update runs set driver = $2, state = 'started', epoch = 1 where id = $1", [run, other]);
    const location = new FakeLocation("a");
    await engine.startDaemon([location]);
    expect(await engine.run("a/one")).toBe("succeeded");
    expect(location.begun.length).toBe(1);
    expect(await engine.count("from runs where driver = $1", [other])).toBe(1);
  });

  test("whose row is gone notices it even while it has nothing to write, and goes on under another id", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [assetOf("a/one")])]);
    const location = new FakeLocation("a", { compute: pause.compute });
    const daemon = await engine.startDaemon([location]);
    const run = await engine.launch("a/one");
    await pause.begun;
    const before = daemon.id;
    await engine.pool.query("delete from daemons");
    await engine.until("select from runs where driver is not null and driver <> $1", [before]);
    expect(daemon.id).not.toBe(before);
    await pause.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.begun.length).toBe(1);
  });

  test("that stops gives its row back, and the runs with it", async () => {
    engine = await Engine.open([locationOf("a", [assetOf("a/one")])]);
    const daemon = await engine.startDaemon();
    const run = await engine.launch("a/one");
    await engine.until("select from runs where driver is not null");
    await daemon.stop();
    expect(await engine.count("from runs where id = $1 and driver is null and ended_at is null", [run])).toBe(1);
    expect(await engine.count("from daemons")).toBe(0);
  });
});

describe("a waiver", () => {
  const segment = locationOf("a", [assetOf("a/raw"), assetOf("a/reader", ["a/raw"])], [checkOf("a/raw", "enough")]);
  const failing = () => new FakeLocation("a", { compute: ({ command }) => succeeded(command, { enough: "failed" }) });

  test("lets a run that waits for it go on, and shows in what was made", async () => {
    engine = await Engine.open([segment]);
    await engine.startDaemon([failing()]);
    expect(await engine.run("a/raw")).toBe("blocked");
    const run = await engine.launch("a/reader", { whenOpen: true });
    await engine.until("select from events where kind = 'run_started' and run_id = $1", [run]);
    await insertWaiver("1 day");
    expect(await engine.ended(run)).toBe("succeeded");
    expect(
      await engine.count("from versions v, waivers w where v.asset_key = 'a/reader' and v.waivers = array[w.id]"),
    ).toBe(1);
  });

  test("whose time is over is ended by the daemon, with an event and an audit row, and the gate is shut again", async () => {
    engine = await Engine.open([segment]);
    await engine.startDaemon([failing()]);
    expect(await engine.run("a/raw")).toBe("blocked");
    await insertWaiver("400 milliseconds");
    const epoch = async () =>
      (await engine.pool.query<{ epoch: number }>("select epoch from asset_gate where asset_key = 'a/raw'")).rows[0]
        ?.epoch ?? 0;
    const before = await epoch();
    await engine.until("select from events where kind = 'waiver_expired'");
    expect(await epoch()).toBe(before + 1);
    expect(await engine.count("from waivers where ended_by = 'time' and ended_at >= until")).toBe(1);
    expect(await engine.count("from audit where action = 'waiver.expire' and actor = 'system'")).toBe(1);
    expect(await engine.run("a/reader")).toBe("blocked");
  });
});
