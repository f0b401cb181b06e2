import type { FastifyInstance } from "fastify";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../control-plane/src/http/app.ts";
import { type EventFeed, openEventFeed } from "../../control-plane/src/http/event-feed.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation, succeeded } from "../support/fake-location.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

/* What others report by API, with everything behind it: database, daemon, two locations. */

const external = { external: { unversioned: false, hasValue: false } };
const unversioned = { external: { unversioned: true, hasValue: false } };
const location = locationOf(
  "a",
  [
    assetOf("a/export", [], external),
    assetOf("a/reader", ["a/export"], { automation: { kind: "onMissing" } }),
    assetOf("a/told", [], external),
    assetOf("a/told_reader", ["a/told"]),
    assetOf("a/lake", [], unversioned),
    assetOf("a/open_lake", [], unversioned),
    assetOf("a/lake_reader", ["a/lake", "a/open_lake"]),
    assetOf("a/computed"),
  ],
  [
    checkOf("a/export", "row_count", { timeoutMs: 30_000 }),
    checkOf("a/told", "audit", { reportedBy: "api" }),
    checkOf("a/lake", "fresh"),
    checkOf("a/computed", "own"),
  ],
);
const foreign = locationOf("b", [assetOf("b/reader", ["a/export"])], [checkOf("a/export", "fit")]);

let engine: Engine;
let app: FastifyInstance;
let events: EventFeed;
let outcome: "passed" | "failed" = "passed";
let computing: FakeLocation;

beforeAll(async () => {
  engine = await Engine.open([location, foreign]);
  computing = new FakeLocation("a", {
    compute: ({ command }) => succeeded(command, { row_count: outcome, fresh: outcome }),
  });
  events = await openEventFeed(engine.database.db, engine.notifications);
  app = await createApp({
    pool: engine.pool,
    db: engine.database.db,
    graph: () => engine.mirror.current(),
    workspace: () => ({ teams: {}, queue: undefined, entries: [], problems: [] }),
    now: Date.now,
    newId,
    events,
    actor: "ada",
  });
  await engine.startDaemon([computing, new FakeLocation("b")]);
});

afterAll(async () => {
  // Whatever was reported: the history keeps every rule.
  const violations = await engine.violations();
  await app.close();
  await events.close();
  await engine.close();
  expect(violations).toEqual([]);
  expect(engine.complaints).toEqual([]);
});

async function report(path: string, body: object, headers: Record<string, string> = {}) {
  const url = `/api/v1/assets/${path.replace(/^a\/(\w+)/, "a%2F$1")}`;
  const response = await app.inject({
    method: "POST",
    url,
    headers: { host: "localhost", ...headers },
    payload: body,
  });
  return { status: response.statusCode, json: response.json() };
}

test("a reported version is pending until its checks have run, which is requested at once; then its readers go on", async () => {
  const value = { scheme: "s3", place: "s3://lake/export", mediaType: "text/csv", digest: "sha256:1" };
  const { status, json } = await report("a/export/materializations", { value, metadata: { rows: 7 } });
  expect(status).toBe(201);
  expect(json).toMatchObject({
    changed: true,
    version: { state: "pending", run: null, attempt: null, dataVersion: "sha256:1", value },
  });
  // The checks of both teams run, each in its own location, on the version that was reported.
  expect(await engine.ended(json.run)).toBe("succeeded");
  const { rows } = await engine.pool.query(
    "select team, name, outcome from check_results where version_id = $1 order by team",
    [json.version.id],
  );
  expect(rows).toEqual([
    { team: "a", name: "row_count", outcome: "passed" },
    { team: "b", name: "fit", outcome: "passed" },
  ]);
  const checked = computing.begun.find((command) => command.work.kind === "checks");
  // Another limit than the asset's: an hour to read the value, a day at most where the check names none.
  expect(checked?.timeoutMs).toBe(3_600_000 + 30_000 + 10_000);
  expect(checked?.work).toMatchObject({ version: { versionId: json.version.id, value, metadata: [{ value: 7 }] } });
  // Its reader was asked for by its own condition, once the gate had opened, and read exactly that version.
  await engine.until("select from versions where asset_key = 'a/reader'");
  const read = computing.begun.find((command) => command.asset === "a/reader");
  expect(read?.work).toMatchObject({ inputs: [{ versions: [{ versionId: json.version.id, value }] }] });
});

test("a reported version whose check fails shuts the gate, and the reason names no run that made it", async () => {
  outcome = "failed";
  const { json } = await report("a/export/materializations", { dataVersion: "bad" });
  expect(await engine.ended(json.run)).toBe("blocked");
  const run = await engine.launch("a/reader");
  expect(await engine.ended(run)).toBe("blocked");
  const { rows } = await engine.pool.query("select reasons from steps where run_id = $1", [run]);
  expect(rows[0].reasons).toMatchObject([
    { kind: "checkFailed", check: "row_count", version: json.version.id, external: true },
  ]);
  expect(rows[0].reasons[0]).not.toHaveProperty("run");
  outcome = "passed";
});

test("an observation of the same data changes nothing, one of other data is a version without a value", async () => {
  const same = await report("a/export/observations", { dataVersion: "bad" });
  expect(same).toMatchObject({ status: 200, json: { changed: false, run: null } });
  const other = await report("a/export/observations", { dataVersion: "good" });
  expect(other).toMatchObject({ status: 200, json: { changed: true, version: { value: null, dataVersion: "good" } } });
  expect(await engine.ended(other.json.run)).toBe("succeeded");
  expect(await engine.run("a/reader")).toBe("succeeded");
});

test("a result that is reported decides the gate, and needs the version; the last one counts", async () => {
  const { json } = await report("a/told/materializations", { dataVersion: "1" });
  expect(json).toMatchObject({ run: null, version: { state: "pending" } });
  expect((await report("a/told/checks/audit/results", { passed: true })).status).toBe(400);
  const waiting = await engine.launch("a/told_reader");
  await engine.until("select from runs where id = $1 and state = 'started'", [waiting]);
  const version = json.version.id;
  const failed = await report("a/told/checks/audit/results", {
    version,
    passed: false,
    description: "two are missing",
  });
  expect(failed).toMatchObject({ status: 201, json: { state: "failed", results: [{ run: null, outcome: "failed" }] } });
  expect(await engine.ended(waiting)).toBe("blocked");
  const passed = await report("a/told/checks/audit/results", { version, passed: true, metadata: { seen: 2 } });
  expect(passed).toMatchObject({ status: 201, json: { state: "passed" } });
  expect(await engine.run("a/told_reader")).toBe("succeeded");
  const { rows } = await engine.pool.query("select kind from events where asset_key = 'a/told' order by seq");
  expect(rows.map(({ kind }) => kind)).toEqual(["version_reported", "check_reported", "check_reported", "gate_opened"]);
});

test("an unversioned asset gates through its checks only: its one version is checked at every observation", async () => {
  // Nothing was observed of the one that a check guards.
  expect(await engine.run("a/lake_reader")).toBe("blocked");
  const first = await report("a/lake/observations", {});
  expect(await engine.ended(first.json.run)).toBe("succeeded");
  expect(await engine.run("a/lake_reader")).toBe("succeeded");
  const command = computing.begun.find(({ asset }) => asset === "a/lake_reader");
  // Of the one without a check there is no version, and nothing is passed.
  expect(command?.work).toMatchObject({ inputs: [{ asset: "a/lake", versions: [{ value: null }] }] });
  outcome = "failed";
  const second = await report("a/lake/observations", { metadata: { note: "it looks odd" } });
  expect(second.json).toMatchObject({ changed: false, version: { id: first.json.version.id } });
  expect(await engine.ended(second.json.run)).toBe("blocked");
  expect(await engine.run("a/lake_reader")).toBe("blocked");
  outcome = "passed";
});

test("a report with the same idempotency key is taken once", async () => {
  const body = { dataVersion: "once" };
  const answers = await Promise.all(
    [1, 2, 3].map(() => report("a/told/materializations", body, { "idempotency-key": "report-once" })),
  );
  expect(new Set(answers.map(({ json }) => json.version.id)).size).toBe(1);
  expect(await engine.count("from versions where asset_key = 'a/told' and data_version = 'once'")).toBe(1);
});

test("a raised version of a check makes its older results void: they are shown as outdated, and readers wait", async () => {
  const { json } = await report("a/told/materializations", { dataVersion: "2" });
  await report("a/told/checks/audit/results", { version: json.version.id, passed: true });
  const shown = async () => {
    const response = await app.inject({ url: "/api/v1/assets/a%2Ftold/checks", headers: { host: "localhost" } });
    return response.json().items[0].latest;
  };
  expect(await shown()).toMatchObject({ outcome: "passed", current: true });
  const checks = location.checks.map(({ definition }) =>
    definition.name === "audit" ? { ...definition, version: 2 } : definition,
  );
  const assets = location.assets.map(({ definition }) => definition);
  await engine.define(locationOf("a", assets, checks));
  expect(await shown()).toMatchObject({ outcome: "passed", current: false });
  const [step] = (await engine.plan({ selection: "a/told_reader" })).steps;
  expect(step?.forecast).toMatchObject({ kind: "waits", reasons: [{ kind: "pending", check: "audit" }] });
  const waiting = await engine.launch("a/told_reader");
  await report("a/told/checks/audit/results", { version: json.version.id, passed: true });
  expect(await engine.ended(waiting)).toBe("succeeded");
  expect(await shown()).toMatchObject({ outcome: "passed", current: true });
});

test("what is not declared external is refused, and so is what is reported of it", async () => {
  expect(await report("a/computed/materializations", {})).toMatchObject({
    status: 409,
    json: { code: "asset.not_external", hint: expect.stringContaining("externalAsset") },
  });
  const version = newId();
  expect(await report("a/computed/checks/own/results", { version, passed: true })).toMatchObject({ status: 409 });
  expect(await report("a/told/checks/audit/results", { version, passed: true })).toMatchObject({
    status: 404,
    json: { code: "version.unknown" },
  });
  expect(await report("a/told/materializations", { partition: "2001-01" })).toMatchObject({
    json: { code: "partition.unknown" },
  });
  expect(await engine.count("from versions where asset_key = 'a/computed'")).toBe(0);
});
