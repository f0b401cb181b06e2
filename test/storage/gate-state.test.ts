import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadGateView, readEpochs, readGateState } from "../../control-plane/src/storage/gate-state.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { insertGates, makeVersions } from "../support/drive-rows.ts";
import { keyOf } from "../support/graph-definitions.ts";

let db: TestDatabase;
const asset = keyOf("a/months");

beforeAll(async () => {
  db = await testDatabase();
  await db.pool.query("select ensure_event_partitions()");
  await insertGates(db.pool, [asset, "a/empty"]);
});
afterAll(() => db.drop());

async function addResult(version: string, name: string, checkVersion: number, outcome: string, seq: number) {
  await db.pool.query(
    `insert into check_results (id, version_id, asset_key, partition_key, team, name, check_version, outcome, run_id, attempt_id, seq)
     values (gen_random_uuid(), $1, 'a/months', '', 'a', $2, $3, $4, gen_random_uuid(), gen_random_uuid(), $5)`,
    [version, name, checkVersion, outcome, seq],
  );
}

describe("what the gate is told of an asset", () => {
  test("the newest versions of each partition, newest first, without those that are discarded", async () => {
    const made: string[] = [];
    for (let n = 0; n < 22; n++) made.push((await makeVersions(db.pool, ["a/months 2001-01"]))[0]?.versionId ?? "");
    const [february] = await makeVersions(db.pool, ["a/months 2001-02"]);
    await db.pool.query("update versions set discarded_at = now() where id = $1", [made[21]]);
    const state = (await readGateState(db.pool, [asset])).get(asset);
    const january = state?.partitions.get("2001-01")?.map(({ id }) => id);
    expect(january).toEqual(made.slice(1, 21).reverse());
    expect(state?.partitions.get("2001-02")?.map(({ id }) => id)).toEqual([february?.versionId]);
    expect(state?.partitions.get("2001-03")).toBeUndefined();
  });

  test("of each version of a check the newest result, and the waivers that have not ended", async () => {
    const [lease] = await makeVersions(db.pool, ["a/months 2001-04"]);
    const version = lease?.versionId ?? "";
    await addResult(version, "enough", 1, "failed", 5);
    await addResult(version, "enough", 1, "passed", 7);
    await addResult(version, "enough", 2, "errored", 6);
    await addResult(version, "fresh", 1, "warned", 8);
    const until = new Date(Date.UTC(2100, 0, 1));
    for (const [name, ended] of [
      ["enough", null],
      ["fresh", new Date()],
    ] as const) {
      await db.pool.query(
        `insert into waivers (id, version_id, asset_key, partition_key, team, name, reason, actor, until, ended_at)
         values ($1, $2, 'a/months', '2001-04', 'a', $3, 'known', 'ada', $4, $5)`,
        [randomUUID(), version, name, until, ended],
      );
    }
    const view = await loadGateView(db.pool, [asset]);
    const [read] = view.versions(asset, "2001-04") ?? [];
    expect(read?.results.map(({ name, checkVersion, outcome }) => [name, checkVersion, outcome])).toEqual([
      ["enough", 2, "errored"],
      ["enough", 1, "passed"],
      ["fresh", 1, "warned"],
    ]);
    expect(read?.liveWaivers.map(({ name, untilMs }) => [name, untilMs])).toEqual([["enough", until.getTime()]]);
  });

  test("its epoch, of the same snapshot; an asset without versions is known to have none", async () => {
    await db.pool.query("update asset_gate set epoch = 3 where asset_key = 'a/empty'");
    const empty = keyOf("a/empty");
    const nowhere = keyOf("a/nowhere");
    const state = await readGateState(db.pool, [empty, nowhere]);
    expect(state.get(empty)).toEqual({ epoch: 3, partitions: new Map() });
    expect(state.has(nowhere)).toBe(false);
    expect(await readEpochs(db.pool, [empty, nowhere])).toEqual(new Map([[empty, 3]]));
    expect(await readGateState(db.pool, [])).toEqual(new Map());
  });
});
