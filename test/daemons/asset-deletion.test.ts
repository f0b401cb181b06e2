import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createApp } from "../../control-plane/src/http/app.ts";
import { routes } from "../../control-plane/src/http/contract/routes.ts";
import { type EventFeed, openEventFeed } from "../../control-plane/src/http/event-feed.ts";
import { carryOverHistories } from "../../control-plane/src/storage/carry-over.ts";
import { keptTables, removedTables } from "../../control-plane/src/storage/remove-history.ts";
import { command } from "../cli/run-command.ts";
import { fixtureWorkspace, newId } from "../http/api-fixture.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation, Pause, succeeded } from "../support/fake-location.ts";
import { assetOf, checkOf, keyOf, locationOf } from "../support/graph-definitions.ts";

const multi = { outputs: [keyOf("a/left"), keyOf("a/right")], canSubset: false };
const halves = [assetOf("a/left", [], { multi }), assetOf("a/right", [], { multi })];
const raw = assetOf("a/raw");
const end = assetOf("a/end", ["a/older", "a/raw", "a/left"]);

let engine: Engine;
let location: FakeLocation;
let app: FastifyInstance;
let feed: EventFeed;
let url: string;
beforeEach(async () => {
  engine = await Engine.open([
    locationOf("a", [raw, assetOf("a/older", ["a/raw"]), end, ...halves], [checkOf("a/older", "fit")]),
  ]);
  location = new FakeLocation("a");
  await engine.startDaemon([location]);
  feed = await openEventFeed(engine.database.db, engine.notifications);
  app = await createApp(
    {
      pool: engine.pool,
      db: engine.database.db,
      graph: () => engine.mirror.current(),
      refreshGraph: () => engine.mirror.refresh(),
      workspace: () => fixtureWorkspace,
      now: Date.now,
      newId,
      events: feed,
      actor: "ada",
    },
    { logger: pino({ level: "error" }) },
  );
  url = await app.listen({ host: "127.0.0.1", port: 0 });
});
afterEach(async () => {
  const violations = await engine.violations();
  await app.close();
  await feed.close();
  await engine.close();
  expect(violations).toEqual([]);
});

const cli = (...args: string[]) => command(url, args);
const remove = (key: string) => cli("asset", "delete", key, "--confirm", key);
const rules = async () => (await engine.violations()).map(({ rule }) => rule);
const errors = () => engine.mirror.current().errors.map(({ key, code }) => `${key} ${code.replace("definition.", "")}`);
const removed = (key: string) =>
  engine.until("select from events where kind = 'asset_history_removed' and asset_key = $1", [key]);

async function define(...assets: ReturnType<typeof assetOf>[]): Promise<void> {
  await engine.define(locationOf("a", assets));
}

/** Everything of everything: a rename, a waived check that failed, a blocked step, a multi-asset, and then they are gone. */
async function lived(): Promise<string> {
  location.compute = ({ command }) => succeeded(command, { fit: "failed" });
  expect(await engine.run("a/older or a/raw or a/left")).toBe("blocked");
  expect(await engine.run("a/end")).toBe("blocked");
  const waived = await cli("waive", "a/older", "--reason", "known");
  expect(waived).toMatchObject({ status: 0 });
  const run = await engine.launch("a/end");
  expect(await engine.ended(run)).toBe("succeeded");
  const reader = assetOf("a/end", ["a/old", "a/raw", "a/left"]);
  const old = assetOf("a/old", ["a/blocked"], { formerly: keyOf("a/older") });
  await define(raw, old, reader, ...halves, assetOf("a/blocked"));
  expect(await carryOverHistories(engine.pool)).toHaveLength(1);
  await engine.mirror.refresh();
  // Blocked itself, so that a decision of its own goes with it.
  await engine.pool.query("select pg_notify('headgate_events', '')");
  expect(await engine.run("a/old")).toBe("blocked");
  return run;
}

/** What was deleted excuses nothing else: each change is found, and undone. */
async function plantedAreFound(): Promise<void> {
  const found = async (change: string, undo: string, ...named: string[]) => {
    const { rowCount } = await engine.pool.query(change);
    expect([change, rowCount, await rules()]).toEqual([change, 1, expect.arrayContaining(named)]);
    await engine.pool.query(undo);
  };
  for (const table of ["attempts", "steps"]) await engine.pool.query(`create table kept_${table} as table ${table}`);
  const reads = (path: string, value: string) =>
    found(
      `update attempts set inputs = jsonb_set(inputs, '{0,${path}}', ${value}) where asset_key = 'a/end'`,
      "update attempts a set inputs = k.inputs from kept_attempts k where k.id = a.id",
      "validation.read_exists",
    );
  await reads("versions,0,id", "to_jsonb(gen_random_uuid())");
  await reads("versions,0,id", "(select to_jsonb(version_id) from steps where asset_key = 'a/left')");
  await reads("versions,0,partition", `'"2001-01"'`);
  await found(
    "update steps set version_id = gen_random_uuid() where asset_key = 'a/left'",
    "update steps s set version_id = k.version_id from kept_steps k where (k.run_id, k.index) = (s.run_id, s.index)",
    "history.step_version",
  );
  const without = (key: string, ...named: string[]) =>
    found(
      `update events set kind = 'note' where kind = 'asset_deleted' and asset_key = '${key}'`,
      "update events set kind = 'asset_deleted' where kind = 'note'",
      ...["history.step_version", "validation.read_exists", "ownership.asset_has_owner", ...named],
    );
  await without("a/old", "isolation.blocked_for_cause");
  await without("a/left", "history.recorded_together");
  for (const table of ["attempts", "steps"]) await engine.pool.query(`drop table kept_${table}`);
}

describe("what is deleted", () => {
  test("is gone with its history; runs stay, are shown, and verify tells what is wrong from what was deleted", async () => {
    const run = await lived();
    const inUse = await remove("a/old");
    expect(inUse.status).toBe(2);
    expect(inUse.err).toContain("Location a defines a/old: only what is gone for good is deleted.");
    await define(raw, assetOf("a/end", ["a/old", "a/raw"]), assetOf("a/right"));
    expect((await remove("a/old")).err).toContain("a/old is still used by a/end (location a).");
    await define(raw, assetOf("a/end", ["a/raw"]), assetOf("a/right"));
    expect((await remove("a/none")).err).toContain("No location has ever defined an asset a/none.");
    expect((await cli("asset", "delete", "a/old")).err).toContain("asset delete a/old --confirm a/old");
    expect((await cli("asset", "delete", "a/old", "--confirm", "a/odl")).err).toContain("a/odl does not confirm");

    const answers = [];
    for (let time = 0; time < 2; time++) {
      answers.push(
        await app.inject({
          method: "POST",
          url: "/api/v1/assets/a%2Fold/delete",
          headers: { host: "localhost", "idempotency-key": "once" },
          payload: { confirm: "a/old" },
        }),
      );
    }
    const [answer] = answers.map((each) => each.json<{ values: unknown }>());
    expect(answers.map((each) => [each.statusCode, each.json<unknown>()])).toEqual([1, 2].map(() => [202, answer]));
    expect(routes.deleteAsset.answer.parse(answer)).toEqual(answer);
    expect(answer).toMatchObject({ asset: "a/old", team: "a", versions: 1, values: [{ scheme: "file", count: 1 }] });
    await removed("a/old");
    await engine.mirror.refresh();
    const left = await remove("a/left");
    expect(left.out).toMatch(/^a\/left is deleted\. Its 1 version, .*\n1 stored value stays where it is: file /);
    await removed("a/left");

    for (const table of removedTables) {
      const text = `from ${table} where asset_key in ('a/old', 'a/older', 'a/left')`;
      expect([table, await engine.count(text)]).toEqual([table, 0]);
    }
    expect(await engine.count("from steps where asset_key = 'a/old'")).toBeGreaterThan(0);
    expect(await engine.count("from asset_renames")).toBe(0);
    expect(await engine.count("from audit where action = 'asset.delete' and actor = 'ada'")).toBe(2);
    expect(await engine.violations()).toEqual([]);

    await engine.mirror.refresh();
    const by = /a\/old was deleted by ada at 20\d\d-/;
    for (const args of [["asset", "show"], ["why"], ["owner", "release"], ["asset", "versions"]]) {
      expect(await cli(...args, "a/old")).toMatchObject({ status: 2, err: expect.stringMatching(by) });
    }
    expect((await remove("a/old")).err).toContain("There is nothing left to delete.");
    expect((await cli("run", "show", run)).out).toContain("succeeded");
    const first = (await cli("run", "list", "--json")).out;
    const ids = (JSON.parse(first) as { items: { id: string }[] }).items.map(({ id }) => id);
    for (const id of ids) {
      expect(await cli("run", "show", id)).toMatchObject({ status: 0, err: "" });
      expect(await cli("run", "events", id)).toMatchObject({ status: 0, err: "" });
      expect(await cli("run", "logs", id)).toMatchObject({ status: 0, err: "" });
    }
    expect(await cli("why", "a/end")).toMatchObject({ status: 0 });
    const page = await app.inject({ url: "/", headers: { host: "localhost" } });
    expect(page.statusCode).toBe(200);
    expect((await cli("run", "retry", ids.at(-1)!)).err).toMatch(/a\/older/);

    await plantedAreFound();
  });

  test("is refused as a definition until it is gone, loads by itself then, and begins a new history", async () => {
    location.compute = ({ command }) => succeeded(command, { fit: "failed" });
    expect(await engine.run("a/older or a/raw")).toBe("blocked");
    await define(raw);
    // Whoever holds a decision holds the removal, with the versions gone and the rest still there.
    const holder = await engine.pool.connect();
    await holder.query("begin");
    await holder.query("select from log_chunks for update");
    await holder.query(
      "insert into decisions (id, asset_key, partition_key, source, outcome, reasons, seq) values (gen_random_uuid(), 'a/none', '', 'run', 'blocked', '[]', 0)",
    );
    await holder.query("lock table decisions in share mode");
    expect((await remove("a/older")).status).toBe(0);
    await engine.until("select from asset_deletions where removed = 1 and done_at is null");
    await define(raw, assetOf("a/older", ["a/raw"]));
    expect(errors()).toEqual(["a/older deletion_under_way"]);
    const shown = await cli("location", "show", "a");
    expect(shown.out).toContain("was deleted by ada");
    expect((await cli("asset", "show", "a/older")).err).toContain(
      "is defined, but refused: a/older was deleted by ada",
    );
    expect((await remove("a/older")).err).toContain("1 of 1 versions are removed");
    expect(await rules()).toEqual([]);
    // The daemon that is at it is killed; the rest is done all the same.
    const { rows } = await engine.pool.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and query like 'delete from decisions%'",
    );
    expect(rows).toHaveLength(1);
    await holder.query("rollback");
    holder.release();
    await removed("a/older");
    await engine.mirror.refresh();
    expect(errors()).toEqual([]);
    expect(await engine.count("from asset_deletions")).toBe(0);
    // The check that had failed is gone with the history that it judged.
    expect(await engine.run("a/older")).toBe("succeeded");
    expect(await engine.count("from versions where asset_key = 'a/older'")).toBe(1);
    expect((await cli("asset", "show", "a/older")).status).toBe(0);
    // And it can be renamed and deleted again.
    await define(raw, assetOf("a/new", ["a/raw"], { formerly: keyOf("a/older") }));
    await carryOverHistories(engine.pool);
    await engine.mirror.refresh();
    expect(errors()).toEqual([]);
    await define(raw);
    expect(await rules()).toEqual([]);
    expect((await remove("a/new")).out).toContain("Its 1 version,");
    await removed("a/new");
  });

  test("must have nothing in flight, and can be what keeps another asset from its name", async () => {
    const pause = new Pause();
    location.compute = (attempt) =>
      attempt.command.asset === "a/end" ? pause.compute(attempt) : succeeded(attempt.command);
    expect(await engine.run("a/older or a/raw or a/left")).toBe("succeeded");
    const run = await engine.launch("a/end");
    await pause.begun;
    await define(raw);
    expect((await remove("a/end")).err).toContain(`npx headgate run cancel ${run}`);
    expect((await remove("a/older")).err).toContain("the step of a/end, which reads a/older, has not ended");
    await pause.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    await define(raw, assetOf("a/right", [], { formerly: keyOf("a/older") }));
    expect((await remove("a/older")).err).toContain("a/right takes over the history of a/older");
    await carryOverHistories(engine.pool);
    await engine.mirror.refresh();
    expect(errors()).toEqual(["a/right history_exists"]);
    expect((await remove("a/older")).status).toBe(0);
    await removed("a/older");
    await engine.mirror.refresh();
    expect(errors()).toEqual([]);
    expect((await cli("asset", "show", "a/older")).err).toContain("a/older was deleted by ada");
  });
});

test("every table that says whose history a row is, is removed or kept on purpose", async () => {
  const { rows } = await engine.pool.query<{ name: string }>(
    `select table_name as name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
     where column_name = 'asset_key' and table_schema = 'public' and table_name !~ '^events_' and table_type = 'BASE TABLE' order by 1`,
  );
  const registry = ["asset_deletions", "asset_owners"];
  expect(rows.map(({ name }) => name)).toEqual([...removedTables, ...keptTables, ...registry].sort());
});
