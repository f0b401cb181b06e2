import { createHash } from "node:crypto";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Sensors } from "../../control-plane/src/daemons/sensors.ts";
import type { EvaluationAnswer } from "../../control-plane/src/domain/evaluation.ts";
import { definitionKey } from "../../control-plane/src/domain/definitions.ts";
import { type Graph, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { routes } from "../../control-plane/src/http/contract/routes.ts";
import { insertDaemon } from "../../control-plane/src/storage/daemons.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { applyManifest, loadSegments } from "../../control-plane/src/storage/definitions.ts";
import { command } from "../cli/run-command.ts";
import { assetOf, sensorOf } from "../support/graph-definitions.ts";
import { ApiFixture } from "./api-fixture.ts";

let api: ApiFixture;
let graph: Graph = buildGraph([], new Map());
let sensors: Sensors;
let url: string;
/** What the code of the sensors answers. */
let answer: EvaluationAnswer;
const log = { text: "looked around\n", droppedBytes: 0 };
const asks = (runKeys: readonly string[]): EvaluationAnswer => ({
  kind: "answered",
  requests: runKeys.map((runKey) => ({
    runKey,
    targets: [],
    partitions: "",
    config: runKey === "bad" ? { nobody: {} } : {},
    tags: { from: "files" },
  })),
  addPartitions: [],
  cursor: JSON.stringify(runKeys.at(-1) ?? ""),
  skipReason: runKeys.length === 0 ? "no new file" : "",
  log,
});

beforeAll(async () => {
  api = await ApiFixture.open({ graph: () => graph });
  const { pool } = api.database;
  const definitions = [
    assetOf("t/table"),
    sensorOf("t/files", ["t/table"], { description: "looks for files", startsOff: true }),
    sensorOf("t/lost", ["t/nowhere"]),
  ];
  const hashOf = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex");
  await withTransaction(pool, (tx) =>
    applyManifest(tx, {
      location: "t",
      team: "t",
      definitionsHash: "h",
      buildId: "b",
      entries: definitions.map((definition) => {
        return { kind: definition.kind, key: definitionKey(definition), hash: hashOf(definition) };
      }),
      definitions: new Map(definitions.map((definition) => [hashOf(definition), { ok: true, definition }])),
    }),
  );
  await pool.query("update locations set state = 'healthy' where name = 't'");
  const { segments, owners, options } = await loadSegments(pool);
  graph = buildGraph(segments, owners, options);
  const daemon = newId();
  await insertDaemon(pool, { id: daemon, host: "h", pid: 1, processStart: "" });
  sensors = new Sensors({
    pool,
    graph: () => graph,
    refreshGraph: () => Promise.resolve(),
    now: Date.now,
    newId: () => newId(),
    random: () => 0,
    monotonic: () => performance.now(),
    recorded: () => undefined,
    failed: (error) => {
      throw error;
    },
    daemonId: () => daemon,
    locations: { isConnected: () => true, evaluate: () => Promise.resolve(answer) },
  });
  await api.notifications.subscribe("headgate_sensors", () => sensors.changed());
  url = await api.app.listen({ port: 0, host: "127.0.0.1" });
});
afterAll(async () => {
  await sensors.stop();
  await api.close();
});

const one = "/api/v1/sensors/t%2Ffiles";
const cli = (...args: string[]) => command(url, ["sensor", ...args]);

it("lists sensors with what they are; one that its location keeps off waits to be started", async () => {
  const list = await api.get("/api/v1/sensors?team=t");
  expect(routes.listSensors.answer.parse(list.json)).toEqual(list.json);
  expect(list.json.items).toMatchObject([
    {
      name: "t/files",
      team: "t",
      location: "t",
      targets: ["t/table"],
      status: "off",
      switchedBy: null,
      cursor: null,
      lastTick: null,
      file: "sensors.ts",
      line: 5,
    },
  ]);
  const refused = await api.get("/api/v1/sensors/t%2Flost");
  expect(refused).toMatchObject({ status: 404, json: { code: "sensor.unknown" } });
  expect(refused.json.detail).toContain("targets t/nowhere");
  expect((await cli("list")).out).toMatch(/t\/files +off +30 s +never/);
  expect(await cli("show", "nobody")).toMatchObject({ status: 2 });
});

it("evaluates a sensor once when somebody asks, in words of what that came to", async () => {
  answer = asks(["a.csv", "bad", "b.csv"]);
  const said = await cli("evaluate", "files");
  expect(said.err).toBe("");
  expect(said.out).toMatch(/^Tick \S+ launched: 2 runs, 1 refused\n {2}refused: bad: There is config for nobody/);
  expect(said.out).toContain("looked around");
  const { json: ticks } = await api.get(`${one}/ticks`);
  expect(routes.listSensorTicks.answer.parse(ticks)).toEqual(ticks);
  expect(ticks.items).toMatchObject([
    { state: "launched", askedBy: "ada", runCount: 2, refusedCount: 1, cursorBefore: null, cursorAfter: "b.csv" },
  ]);
  const tick = await api.get(`${one}/ticks/${ticks.items[0].id}`);
  expect(routes.getSensorTick.answer.parse(tick.json)).toEqual(ticks.items[0]);
  const { json: runs } = await api.get("/api/v1/runs?source=sensor");
  expect(runs.items).toMatchObject([
    { tick: { automation: "t/files", scheduledAt: null }, runKey: "b.csv", actor: "ada", tags: { from: "files" } },
    { tick: { automation: "t/files" }, runKey: "a.csv" },
  ]);
  expect((await command(url, ["run", "show", runs.items[0].id])).out).toContain(
    "Launched by t/files b.csv, asked for by ada\n",
  );
  const { json: audit } = await api.get("/api/v1/audit?subject=t%2Ffiles");
  expect(audit.items).toMatchObject([{ actor: "ada", action: "sensor.evaluate" }]);
});

it("starts and stops it, with an audit row and an event, and what it asks for is launched by the sensor", async () => {
  answer = asks(["b.csv", "c.csv"]);
  const key = { "idempotency-key": "start" };
  const started = await api.post(`${one}/start`, undefined, key);
  expect(routes.startSensor.answer.parse(started.json)).toEqual(started.json);
  expect(started.json).toMatchObject({ status: "on", switchedBy: "ada", dueAt: null });
  expect((await api.post(`${one}/start`, undefined, key)).json).toEqual(started.json);
  let runs: { actor: string; runKey: string }[] = [];
  while (runs.length < 3) runs = (await api.get("/api/v1/runs?source=sensor")).json.items;
  expect(runs[0]).toMatchObject({ actor: "sensor:t/files", runKey: "c.csv" });
  expect((await command(url, ["run", "list"])).out).toContain("t/files c.csv");
  expect((await cli("stop", "t/files")).out).toBe("t/files is off; its cursor and run keys stay.\n");
  const { rows } = await api.database.pool.query(
    "select kind from events where kind like 'sensor_%' or kind like 'tick_%' order by seq",
  );
  expect(rows.map(({ kind }: { kind: string }) => kind)).toEqual([
    "sensor_evaluation_asked",
    "tick_launched",
    "sensor_started",
    "tick_launched",
    "sensor_stopped",
  ]);
});

it("goes on from the cursor that somebody sets; what is asked for again is not launched again", async () => {
  const set = await api.post(`${one}/cursor`, { cursor: null });
  expect(routes.setSensorCursor.answer.parse(set.json)).toEqual(set.json);
  answer = asks(["a.csv"]);
  const again = await cli("evaluate", "t/files", "--json");
  expect(JSON.parse(again.out)).toMatchObject({ state: "skipped", repeatedCount: 1, cursorBefore: null });
  expect((await cli("set-cursor", "t/files", "2001-03.csv")).out).toContain('goes on after "2001-03.csv"');
  expect((await cli("show", "t/files")).out).toContain('Cursor     "2001-03.csv"');
  const tooLarge = await api.post(`${one}/cursor`, { cursor: "x".repeat(70_000) });
  expect(tooLarge).toMatchObject({ status: 422, json: { code: "sensor.cursor_too_large" } });
  answer = { kind: "failed", error: { code: "sensor.threw", message: "no such folder", hint: "make it" }, log };
  const failed = await cli("evaluate", "t/files");
  expect(failed).toMatchObject({ status: 1 });
  expect(failed.out).toContain("no such folder [sensor.threw]\n  make it");
  expect((await cli("ticks", "t/files", "--state", "failed")).out).toContain("asked for by ada");
});
