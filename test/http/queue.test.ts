import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { type QueueRules, noQueueRules } from "../../control-plane/src/domain/run-queue.ts";
import { routes } from "../../control-plane/src/http/contract/routes.ts";
import { command } from "../cli/run-command.ts";
import { assetOf, locationOf } from "../support/graph-definitions.ts";
import { type Answer, ApiFixture, fixtureWorkspace } from "./api-fixture.ts";

const tokenOf = (token: string, name: string, teams?: readonly string[]) => ({
  name,
  sha256: createHash("sha256").update(token).digest(),
  ...(teams === undefined ? {} : { teams }),
});

let api: ApiFixture;
let url: string;
let rules: QueueRules = noQueueRules;
beforeAll(async () => {
  const pool = { pool: "warehouse" };
  const segments = [
    locationOf("w", [assetOf("w/load", [], pool), assetOf("w/other", [], pool), assetOf("w/after", ["w/load"])]),
    locationOf("x", [assetOf("x/one")]),
  ];
  const graph = buildGraph(segments, new Map());
  const tokens = [tokenOf("root", "ada"), tokenOf("team", "bob", ["w"])];
  const workspace = () => ({ ...fixtureWorkspace, queue: rules });
  api = await ApiFixture.open({ graph: () => graph, tokens, workspace });
  for (const name of ["w", "x"]) {
    await api.database.pool.query("insert into locations (name, team, state) values ($1, $1, 'healthy')", [name]);
  }
  url = await api.app.listen({ port: 0, host: "127.0.0.1" });
});
afterAll(() => api.close());
beforeEach(async () => {
  rules = noQueueRules;
  await api.database.pool.query("update runs set ended_at = now(), state = 'canceled' where ended_at is null");
  await api.database.pool.query("update daemons set renewed_at = now()");
});

const as = (token: string) => ({ authorization: `Bearer ${token}` });
const cli = (...args: string[]) => command(url, args, { env: { HEADGATE_TOKEN: "root" } });
const out = async (...args: string[]) => (await cli(...args)).out;

async function launch(selection: string, more: object = {}): Promise<string> {
  const { status, json, text } = await api.post("/api/v1/runs", { selection, ...more }, as("root"));
  if (status !== 201) throw new Error(text);
  return json.id;
}

async function explained(run: string): Promise<Answer> {
  const { json } = await api.ask("GET", `/api/v1/queue/${run}/explain`, undefined, as("root"));
  expect(routes.explainRun.answer.parse(json)).toEqual(json);
  return json;
}

const messages = (waits: readonly { message: string }[]) => waits.map(({ message }) => message);

it("says of a queued run what keeps it: limits with who holds them, the runs before it, its team's share", async () => {
  rules = { maxRuns: 1, teams: {}, tagLimits: [{ key: "customer", perValue: true, limit: 1 }] };
  const first = await launch("w/load", { tags: { customer: "acme" } });
  expect(messages((await explained(first)).waits)).toEqual(["nothing keeps it: it is next"]);
  await api.drive.claim();
  const urgent = await launch("w/other", { priority: 3, tags: { customer: "globex" } });
  const last = await launch("w/after", { tags: { customer: "acme" } });
  const other = await launch("x/one");
  const told = await explained(last);
  expect(told).toMatchObject({ state: "queued", team: "w", holdsSlot: false, steps: [], others: 1 });
  expect(messages(told.waits)).toEqual([
    "1 run holds a slot, of 1 in all",
    "1 run holds a slot with tag customer=acme, of 1",
    "1 run of team w is before it, by priority and age",
    "team w holds 1, and its share is 0.5",
  ]);
  expect(told.waits[1].runs).toEqual([first]);
  expect(messages((await explained(urgent)).waits)).toHaveLength(2);
  expect(messages((await explained(other)).waits)).toEqual(["1 run holds a slot, of 1 in all"]);
  const text = await out("run", "explain", last);
  expect(text).toContain(`Run ${last} queued, in the queue of team w: it holds no slot.\n  1 run holds a slot, of 1`);
  expect(text).toContain(`    held by ${first}\n`);
  expect(await out("queue")).toMatch(
    /^1 run holds a slot, of 1\.\n\nTEAM +WEIGHT +QUEUED +HOLDING +WAITING +AT MOST\nw +1 +2 +1 +0 +no limit\nx +1 +1 +0 +0 +no limit\n\nTAG +HOLDING +AT MOST\ncustomer=acme +1 +1\n$/,
  );
  await api.database.pool.query("update daemons set renewed_at = now() - interval '1 minute'");
  expect((await explained(last)).waits[0].kind).toBe("noDaemon");
});

it("says of each step what it waits for: its location, its gate, its pool with who has the slots", async () => {
  const run = await launch("w/load");
  const reads = await launch("w/after");
  await api.drive.claim();
  await api.database.pool.query(
    "update locations set state = 'unreachable', last_seen_at = now() - interval '2 min' where name = 'w'",
  );
  const away = await explained(run);
  expect(away).toMatchObject({ state: "started", holdsSlot: true, waits: [], others: 0 });
  expect(messages(away.steps[0].waits)).toEqual(["code location w is unreachable"]);
  const shown = await out("run", "show", run);
  expect(shown).toMatch(
    /What it waits for\nstep 0 w\/load\n {2}code location w is unreachable, last seen 2 min.* ago\n/,
  );
  await api.database.pool.query("update locations set state = 'healthy' where name = 'w'");

  const gate = (await explained(reads)).steps[0].waits;
  expect(messages(gate)).toEqual(["w/load has never been materialized"]);
  expect(gate[0].reasons).toMatchObject([{ kind: "neverMaterialized", asset: "w/load" }]);

  const holder = await launch("w/other");
  await api.drive.claim();
  await api.database.pool.query(
    `insert into attempts (id, run_id, step_index, number, epoch, kind, asset_key, partition_key, location, instance_id,
       version_id, state, pool) values ($1, $2, 0, 1, 1, 'materialize', 'w/other', '', 'w', 'i', $1, 'unknown', 'warehouse')`,
    [randomUUID(), holder],
  );
  expect(messages((await explained(run)).steps[0].waits)).toEqual([
    "it waits for a worker of w, where 1 step is in flight",
  ]);
  expect(await out("pool", "set", "warehouse", "1")).toBe("Pool warehouse has 1 slot now, 1 held.\n");
  const full = (await explained(run)).steps[0].waits;
  expect(messages(full)).toEqual([`pool warehouse has 1 slot, held by w/other (run ${holder})`]);
  expect(full[0].runs).toEqual([holder]);
  expect(await out("pool", "show", "warehouse")).toMatch(
    /^Pool warehouse: 1 held, of 1 slot, set .* ago by ada\. Named by 2 assets\.\nHELD BY +STATE +SINCE +LOCATION +RUN\nw\/other +unknown +.* ago +w +[0-9a-f-]{36}\n$/,
  );
  await api.database.pool.query("update runs set slot = 'released' where id = $1", [run]);
  expect(await explained(run)).toMatchObject({ holdsSlot: false, waits: [] });
});

it("explains a run that has ended, and refuses one that is none", async () => {
  const run = await launch("x/one");
  await api.drive.playAll();
  expect(await explained(run)).toMatchObject({ waits: [], steps: [], others: 0 });
  expect(await out("run", "explain", run)).toContain("it has ended.\nNothing of it waits.");
  const none = await api.ask("GET", `/api/v1/queue/${randomUUID()}/explain`, undefined, as("root"));
  expect(none).toMatchObject({ status: 404, json: { code: "run.unknown" } });
});

it("lets operators alone set a pool, once for each idempotency key, with an audit row and an event", async () => {
  const path = "/api/v1/pools/licence";
  const refused = await api.post(path, { slots: 2 }, as("team"));
  expect(refused).toMatchObject({ status: 403, json: { code: "auth.not_operator" } });
  const unknown = await api.ask("GET", path, undefined, as("team"));
  expect(unknown).toMatchObject({ status: 404, json: { code: "pool.unknown", hint: "There are warehouse." } });
  const once = { ...as("root"), "idempotency-key": "k" };
  expect((await api.post(path, { slots: 2 }, once)).json).toMatchObject({
    name: "licence",
    slots: 2,
    assets: [],
    setBy: "ada",
  });
  expect((await api.post(path, { slots: 2 }, once)).status).toBe(200);
  expect((await api.post(path, { slots: 0 }, as("root"))).status).toBe(400);
  expect(await out("pool", "set", "licence", "unlimited")).toContain("Pool licence has no limit now, 0 held.");
  expect((await cli("pool", "set", "licence", "many")).err).toContain("Write a whole number from 1, or unlimited.");
  const audit = await api.ask("GET", "/api/v1/audit?subject=licence", undefined, as("root"));
  expect(audit.json.items.map(({ action, details }: Answer) => [action, details])).toEqual([
    ["pool.set", { from: 2, to: null }],
    ["pool.set", { from: null, to: 2 }],
  ]);
  const { rows } = await api.database.pool.query(
    "select payload from events where kind = 'pool_set' order by seq desc",
  );
  expect(rows[0]).toMatchObject({ payload: { pool: "licence", actor: "ada", from: 2, to: null } });
});
