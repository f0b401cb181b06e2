import { afterEach, expect, test } from "vitest";
import { appendEvents } from "../../control-plane/src/storage/append-events.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { setPool } from "../../control-plane/src/storage/pools.ts";
import { attemptSpans } from "../../control-plane/src/storage/history-rule.ts";
import { Engine, listenerOf } from "../support/engine.ts";
import { FakeLocation, Pause, succeeded } from "../support/fake-location.ts";
import { assetOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  expect(violations).toEqual([]);
});

const retry = { maxRetries: 0, delayMs: 10, backoff: "constant", jitter: 0, maxCrashes: 20 } as const;
const pooled = (key: string) => assetOf(key, [], { pool: "warehouse", retry });

/** Sets the slots of the pool as the API does. */
async function limit(slots: number | null): Promise<void> {
  await withTransaction(engine.pool, async (tx) => {
    await setPool(tx, "warehouse", slots, "ada");
    await appendEvents(tx, [{ kind: "pool_set", payload: { pool: "warehouse" } }]);
  });
  await engine.pool.query("select pg_notify('headgate_events', '')");
}

test("the holder of a pool's only slot is killed: the next in line has it, by priority and not by age", async () => {
  const gone = assetOf("a/x", [], { pool: "warehouse" });
  engine = await Engine.open([
    locationOf("a", [gone]),
    locationOf("b", [pooled("b/y"), pooled("b/z"), assetOf("b/free")]),
  ]);
  await limit(1);
  const pause = new Pause();
  const holder = new FakeLocation("a", { compute: pause.compute });
  const others = new FakeLocation("b");
  const daemon = await engine.startDaemon([holder, others]);
  const first = await engine.launch("a/x");
  await pause.begun;
  const late = await engine.launch("b/y");
  const urgent = await engine.launch("b/z", { priority: 5 });
  expect(await engine.run("b/free")).toBe("succeeded");
  expect(await engine.steps(late)).toEqual(["b/y waiting"]);
  daemon.drive.contact.instanceExited("a", holder.exit());
  expect(await engine.ended(first)).toBe("failed");
  expect([await engine.ended(urgent), await engine.ended(late)]).toEqual(["succeeded", "succeeded"]);
  expect(others.begun.map(({ asset }) => asset)).toEqual(["b/free", "b/z", "b/y"]);
});

test("a pool that gets more slots fills them, and one without a limit is none", async () => {
  const keys = Array.from({ length: 6 }, (_, n) => `a/n${n}`);
  engine = await Engine.open([locationOf("a", keys.map(pooled))]);
  await limit(1);
  const begun: (() => void)[] = [];
  const location = new FakeLocation("a", {
    compute: ({ command }) => new Promise((resolve) => begun.push(() => resolve(succeeded(command)))),
  });
  await engine.startDaemon([location]);
  const run = await engine.launch("a/*");
  await engine.until("select from attempts where state = 'leased'");
  await limit(4);
  await engine.until("select from attempts where state = 'leased' having count(*) = 4");
  await limit(null);
  await engine.until("select from attempts where state = 'leased' having count(*) = 6");
  for (const end of begun) end();
  expect(await engine.ended(run)).toBe("succeeded");
});

test("a limit is never exceeded, whoever dies: locations by kill, daemons by losing their row", async () => {
  const keys = ["a", "b"].flatMap((team) => Array.from({ length: 15 }, (_, n) => `${team}/n${n}`));
  engine = await Engine.open(
    ["a", "b"].map((team) => locationOf(team, keys.filter((key) => key.startsWith(team)).map(pooled))),
  );
  await limit(2);
  const locations = ["a", "b"].map(
    (name) =>
      new FakeLocation(name, {
        compute: ({ command }) => new Promise((resolve) => setTimeout(() => resolve(succeeded(command)), 5)),
      }),
  );
  const daemons = [await engine.startDaemon(locations), await engine.startDaemon(locations)];
  const runs = [];
  for (const key of keys) runs.push(await engine.launch(key));
  for (let n = 0; n < 8; n++) {
    const settled = `select from attempts where ended_at is not null having count(*) >= ${3 * n + 2}`;
    await engine.until(settled);
    const location = locations[n % 2]!;
    const gone = location.exit();
    for (const daemon of daemons) {
      daemon.drive.contact.instanceExited(location.name, gone);
      location.connect(listenerOf(daemon));
    }
    if (n % 3 === 0) await engine.pool.query("delete from daemons where id = $1", [daemons[n % 2]!.id]);
  }
  for (const run of runs) expect(await engine.ended(run)).toBe("succeeded");
  const { rows } = await engine.pool.query<{ most: number }>(
    `with spans as materialized (${attemptSpans})
     select max(held)::integer as most from (
       select count(*) as held from spans a join spans b on b.leased <= a.leased and (b.settled is null or b.settled > a.leased)
       group by a.id) x`,
  );
  expect(rows).toEqual([{ most: 2 }]);
});
