import { afterEach, expect, test } from "vitest";
import { GraphMirror } from "../../control-plane/src/daemons/graph-mirror.ts";
import { plan } from "../../control-plane/src/domain/plan.ts";
import { appendEvents } from "../../control-plane/src/storage/append-events.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { addDynamicKeys, removeDynamicKeys } from "../../control-plane/src/storage/dynamic-partitions.ts";
import { loadGateView } from "../../control-plane/src/storage/gate-state.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation } from "../support/fake-location.ts";
import { assetOf, locationOf } from "../support/graph-definitions.ts";
import { until } from "../support/until.ts";

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  expect(violations).toEqual([]);
});

const set = { team: "a", name: "customers" };
const partitions = { kind: "dynamic", name: "customers" } as const;
const segment = locationOf("a", [
  assetOf("a/orders", [], { partitions, automation: { kind: "onMissing" } }),
  assetOf("a/bills", ["a/orders"], { partitions }),
]);

/** As another process does it. */
async function add(...keys: string[]): Promise<void> {
  await withTransaction(engine.pool, async (tx) => {
    await addDynamicKeys(tx, set, keys, "ada");
    await appendEvents(tx, [{ kind: "partitions_added", payload: { ...set, keys } }]);
  });
  await engine.pool.query("select pg_notify('headgate_events', '')");
}

test("a key that another process adds is made by automation at once, and what is removed keeps its versions", async () => {
  engine = await Engine.open([segment]);
  const location = new FakeLocation("a");
  await engine.startDaemon([location]);
  await add("acme", "globex");
  await engine.until("select from versions where asset_key = 'a/orders' and partition_key = 'globex'");
  expect(await engine.run("a/bills", { partitions: "acme" })).toBe("succeeded");
  await withTransaction(engine.pool, (tx) => removeDynamicKeys(tx, set, ["acme"]));
  await engine.mirror.refresh();
  await expect(engine.plan({ selection: "a/bills", partitions: "acme" })).rejects.toThrow("does not exist");
  expect(await engine.count("from versions where partition_key = 'acme'")).toBe(2);
  await add("initech", "acme");
  await until(
    "the key that came again is last",
    () => engine.mirror.current().asset("a/orders")?.space.keyAt(2) === "acme",
  );
  const { rows } = await engine.pool.query("select key, ordinal from dynamic_partitions order by ordinal");
  expect(rows).toEqual([
    { key: "globex", ordinal: 1 },
    { key: "initech", ordinal: 2 },
    { key: "acme", ordinal: 3 },
  ]);
});

test("a run for a key that its driver has not heard of yet is not refused: the driver looks again first", async () => {
  engine = await Engine.open([segment]);
  await add("acme");
  await engine.mirror.refresh();
  const location = new FakeLocation("a");
  await engine.startDaemon([location]);
  await engine.until("select from versions where asset_key = 'a/orders' and partition_key = 'acme'");
  // Added without a word: only this planner knows.
  await withTransaction(engine.pool, (tx) => addDynamicKeys(tx, set, ["globex"], "ada"));
  const other = await GraphMirror.open({ pool: engine.pool });
  const request = { selection: "a/orders", partitions: "globex" };
  const planned = plan(other.current(), request, await loadGateView(engine.pool, []), Date.now());
  await other.close();
  if (!planned.ok) throw new Error(planned.message);
  expect(engine.mirror.current().asset("a/orders")?.space.ordinalOf("globex")).toBeUndefined();
  expect(await engine.run("a/orders", { plan: planned.plan })).toBe("succeeded");
});

test("a step for a key that was removed meanwhile ends in words", async () => {
  engine = await Engine.open([locationOf("a", [assetOf("a/orders", [], { partitions })])]);
  await add("acme");
  await engine.mirror.refresh();
  const { steps } = await engine.plan({ selection: "a/orders", partitions: "acme" });
  await withTransaction(engine.pool, (tx) => removeDynamicKeys(tx, set, ["acme"]));
  await engine.startDaemon([new FakeLocation("a")]);
  const run = await engine.launch("a/orders", { plan: { steps } });
  expect(await engine.ended(run)).toBe("failed");
  const { error } = await engine.until<{ error: { message: string } }>("select error from steps where run_id = $1", [
    run,
  ]);
  expect(error.message).toBe("partition acme of a/orders is no longer defined by a.");
});
