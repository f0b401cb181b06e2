import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { driveFlush, emptyFlush } from "../../control-plane/src/storage/drive-flush.ts";
import { insertDaemon } from "../../control-plane/src/storage/daemons.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => {
  await db.drop();
});

describe("drive_flush", () => {
  test("the last word about an attempt, a step and a run counts when one batch speaks of it several times", async () => {
    const daemon = randomUUID();
    await insertDaemon(db.pool, { id: daemon, host: "h", pid: 1, processStart: "" });
    const run = randomUUID();
    const attempt = randomUUID();
    const version = randomUUID();
    await db.pool.query(
      `insert into runs (id, state, source, actor, selection, step_count, driver) values ($1, 'started', 'manual', 'a', 's', 1, $2)`,
      [run, daemon],
    );
    await db.pool.query(
      `insert into steps (run_id, index, kind, asset_key, location, state) values ($1, 0, 'materialize', 'a/b', 'a', 'waiting')`,
      [run],
    );
    const lease = emptyFlush(daemon);
    lease.leases.push({
      id: attempt,
      runId: run,
      stepIndex: 0,
      number: 1,
      epoch: 1,
      kind: "materialize",
      assetKey: "a/b",
      partitionKey: "",
      location: "a",
      instanceId: "i",
      versionId: version,
      inputs: [],
      gateAssets: [],
    });
    expect((await driveFlush(db.pool, lease)).granted).toEqual([attempt]);
    const flush = emptyFlush(daemon);
    flush.progress.push(
      { id: attempt, sequence: 1, state: "started" },
      { id: attempt, sequence: 3 },
      { id: attempt, sequence: 2 },
    );
    flush.ended.push({ id: attempt, state: "succeeded", error: null, sequence: 4 });
    flush.steps.push(
      { runId: run, index: 0, state: "started", ended: false },
      { runId: run, index: 0, state: "succeeded", ended: true, versionId: version },
    );
    flush.runs.push({ id: run, state: "canceling", ended: false }, { id: run, state: "succeeded", ended: true });
    await driveFlush(db.pool, flush);
    const { rows } = await db.pool.query(
      `select a.state as attempt, a.sequence, a.started_at is not null as began, s.state as step, s.ended_at is not null as done,
         s.version_id, r.state as run, r.driver from attempts a join steps s on s.run_id = a.run_id join runs r on r.id = a.run_id`,
    );
    expect(rows).toEqual([
      {
        attempt: "succeeded",
        sequence: 4,
        began: true,
        step: "succeeded",
        done: true,
        version_id: version,
        run: "succeeded",
        driver: null,
      },
    ]);
  });
});
