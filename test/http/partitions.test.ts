import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Graph, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { routes } from "../../control-plane/src/http/contract/routes.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { applyManifest, loadSegments } from "../../control-plane/src/storage/definitions.ts";
import { command } from "../cli/run-command.ts";
import { assetOf, locationOf } from "../support/graph-definitions.ts";
import { ApiFixture } from "./api-fixture.ts";

const tokenOf = (token: string, name: string, teams: readonly string[]) => ({
  name,
  teams,
  sha256: createHash("sha256").update(token).digest(),
});

let api: ApiFixture;
let graph: Graph = buildGraph([], new Map());
const refreshGraph = async () => {
  const { segments, owners, options } = await loadSegments(api.database.pool);
  graph = buildGraph(segments, owners, options);
};
beforeAll(async () => {
  api = await ApiFixture.open({ graph: () => graph, refreshGraph });
  const customers = { kind: "dynamic", name: "customers" } as const;
  const region = { kind: "static", keys: ["eu", "us"] } as const;
  const dimensions = [
    { name: "customer", definition: customers },
    { name: "region", definition: region },
  ];
  const { assets, team, location } = locationOf("t", [
    assetOf("t/orders", [], { partitions: customers }),
    assetOf("t/visits", [], { partitions: { kind: "multi", dimensions } }),
    assetOf("t/many", [], { partitions: { kind: "dynamic", name: "many" } }),
  ]);
  const hashOf = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex");
  const definitions = new Map(assets.map(({ definition }) => [hashOf(definition), { ok: true, definition }] as const));
  const entries = assets.map(({ definition }) => {
    return { kind: "asset" as const, key: definition.key, hash: hashOf(definition) };
  });
  const input = { location, team, definitionsHash: "h", buildId: "b", entries, definitions };
  await withTransaction(api.database.pool, (tx) => applyManifest(tx, input));
  await refreshGraph();
});
afterAll(() => api.close());

const path = "/api/v1/partitions/t/customers";
const keysOf = async () => (await api.get(path)).json.items.map(({ key }: { key: string }) => key) as string[];

it("adds keys once, in the transaction of their audit row and event, and what is planned next knows them", async () => {
  const first = { "idempotency-key": "first" };
  const added = await api.post(path, { keys: ["acme", "globex", "acme"] }, first);
  expect([added.status, added.json]).toEqual([
    200,
    { team: "t", name: "customers", count: 2, added: ["acme", "globex"] },
  ]);
  expect(routes.addPartitions.answer.parse(added.json)).toEqual(added.json);
  expect((await api.post(path, { keys: ["acme", "globex", "acme"] }, first)).json).toEqual(added.json);
  expect((await api.post(path, { keys: ["other"] }, first)).json.code).toBe("idempotency.key_reused");
  expect((await api.post(path, { keys: ["globex"] })).json).toMatchObject({ added: [], count: 2 });
  const audit = (await api.get("/api/v1/audit?subject=t%2Fcustomers")).json.items;
  expect(audit).toMatchObject([{ actor: "ada", action: "partitions.add", details: { keys: ["acme", "globex"] } }]);
  const { rows } = await api.database.pool.query("select payload from events where kind = 'partitions_added'");
  expect(rows).toMatchObject([{ payload: { team: "t", name: "customers", count: 2, keys: ["acme", "globex"] } }]);
  const planned = await api.post("/api/v1/plan", { selection: "t/visits", partitions: "customer=globex,region=eu" });
  expect(planned.json.steps.map(({ partition }: { partition: string }) => partition)).toEqual([
    "customer=globex,region=eu",
  ]);
  const sets = await api.get("/api/v1/partitions");
  expect(routes.listPartitionSets.answer.parse(sets.json)).toEqual(sets.json);
  expect(sets.json.items).toEqual([
    { team: "t", name: "customers", assets: ["t/orders", "t/visits"], count: 2 },
    { team: "t", name: "many", assets: ["t/many"], count: 0 },
  ]);
});

it("pages the keys in the order in which they were added", async () => {
  await api.post(path, { keys: ["initech"] });
  const page = await api.get(`${path}?limit=2`);
  expect(routes.listPartitions.answer.parse(page.json)).toEqual(page.json);
  expect(page.json.items.map(({ key }: { key: string }) => key)).toEqual(["acme", "globex"]);
  const rest = await api.get(`${path}?limit=2&after=${page.json.next}`);
  expect(rest.json).toMatchObject({ items: [{ key: "initech", addedBy: "ada" }], next: null });
});

it("removes keys; one that comes again comes last, and a step of a removed one is refused in words", async () => {
  const removed = await api.post(`${path}/remove`, { keys: ["acme"] });
  expect(removed.json).toEqual({ team: "t", name: "customers", count: 2, removed: ["acme"] });
  expect(routes.removePartitions.answer.parse(removed.json)).toEqual(removed.json);
  const refused = await api.post("/api/v1/plan", { selection: "t/orders", partitions: "acme" });
  expect(refused.json.hint).toContain("headgate partition add TEAM/customers acme");
  const unknown = await api.post(`${path}/remove`, { keys: ["globex", "acme"] });
  expect(unknown).toMatchObject({ status: 404, json: { code: "partition.unknown" } });
  await api.post(path, { keys: ["acme"] });
  expect(await keysOf()).toEqual(["globex", "initech", "acme"]);
});

it.each([
  [["a,b"], "partition.invalid", 422],
  [["ok", "a=b"], "partition.invalid", 422],
  [["x".repeat(129)], "partition.invalid", 422],
  [[""], "partition.invalid", 422],
  [["\u0000"], "request.invalid", 400],
  [[], "request.invalid", 400],
])("refuses %j whole", async (keys, code, status) => {
  const before = await keysOf();
  expect(await api.post(path, { keys })).toMatchObject({ status, json: { code } });
  expect(await keysOf()).toEqual(before);
});

it("refuses a set that no asset is cut by, and one key more than a set may have", async () => {
  const unknown = await api.post("/api/v1/partitions/t/nobody", { keys: ["x"] });
  expect(unknown).toMatchObject({ status: 404, json: { code: "partitions.unknown_set" } });
  expect(unknown.json.hint).toContain("t/customers");
  for (let n = 0; n < 10; n++) {
    const keys = Array.from({ length: 1_000 }, (_, i) => `k${n * 1_000 + i}`);
    expect((await api.post("/api/v1/partitions/t/many", { keys })).status).toBe(200);
  }
  const full = await api.post("/api/v1/partitions/t/many", { keys: ["k0", "one more"] });
  expect(full).toMatchObject({ status: 409, json: { code: "partitions.set_full" } });
});

it("keeps order and ordinals as a plain list would, whatever is added and removed; no ordinal comes twice", async () => {
  const key = fc.constantFrom<string>("a", "b", "c", "d", "e");
  const step = fc.record({ add: fc.boolean(), keys: fc.uniqueArray(key, { minLength: 1, maxLength: 3 }) });
  const used = new Map<number, string>();
  let list: string[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      await api.post(`${path}/remove`, { keys: await keysOf() });
      list = [];
      for (const { add, keys } of steps) {
        const there = keys.filter((k) => list.includes(k));
        if (add) list.push(...keys.filter((k) => !there.includes(k)));
        else if (there.length === keys.length) list = list.filter((k) => !keys.includes(k));
        await api.post(add ? path : `${path}/remove`, { keys });
        expect(await keysOf()).toEqual(list);
        const { rows } = await api.database.pool.query<{ key: string; ordinal: number; id: string }>(
          "select key, ordinal, xmin::text as id from dynamic_partitions where name = 'customers'",
        );
        for (const row of rows) {
          const identity = `${row.key} ${row.id}`;
          expect(used.get(row.ordinal) ?? identity).toBe(identity);
          used.set(row.ordinal, identity);
        }
      }
    }),
    { numRuns: 15 },
  );
});

it("is open to the owning team alone, and reads as a command line", async () => {
  const tokens = [tokenOf("mine", "ana", ["t"]), tokenOf("theirs", "bob", ["u"])];
  const guarded = await ApiFixture.open({ graph: () => graph, tokens });
  try {
    const as = (token: string) => ({ authorization: `Bearer ${token}` });
    const refused = await guarded.post(path, { keys: ["hooli"] }, as("theirs"));
    expect(refused).toMatchObject({ status: 403, json: { code: "auth.not_owner" } });
    expect((await guarded.post(path, { keys: ["hooli"] }, as("mine"))).status).toBe(200);
    const url = await guarded.app.listen({ port: 0, host: "127.0.0.1" });
    const cli = (...args: string[]) => command(url, ["partition", ...args], { env: { HEADGATE_TOKEN: "mine" } });
    expect((await cli("add", "t/customers", "hooli", "acme")).out).toBe(
      "t/customers: 1 added, 2 in all. 1 was there already.\n",
    );
    expect((await cli("list", "t/customers")).out).toMatch(/^KEY +ADDED +BY\nhooli +.* ago +ana\nacme +.* ago +ana\n$/);
    expect((await cli("remove", "t/customers", "acme")).out).toBe(
      "t/customers: 1 removed, 1 left. Their versions stay.\n",
    );
    expect((await cli("list")).out).toMatch(
      /^SET +KEYS +ASSETS\nt\/customers +1 +t\/orders, t\/visits\nt\/many +0 +t\/many\n$/,
    );
    const bad = await cli("add", "customers", "x");
    expect([bad.status, bad.err]).toEqual([2, expect.stringContaining("Write team/name")]);
  } finally {
    await guarded.close();
  }
});
