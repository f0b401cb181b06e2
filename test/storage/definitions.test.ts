import { createHash, randomUUID } from "node:crypto";
import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AssetDefinition, CheckDefinition, DefinitionError } from "../../control-plane/src/domain/definitions.ts";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import type { ManifestEntry, ReceivedDefinition } from "../../control-plane/src/domain/manifest.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import {
  type AppliedManifest,
  applyManifest,
  loadSegments,
  removeLocation,
} from "../../control-plane/src/storage/definitions.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.pool.query("select ensure_event_partitions()");
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query(
    `truncate locations, definitions, location_definitions, asset_owners, asset_gate, asset_renames, established_edges, runs, steps, attempts, versions,
       check_results, waivers, events cascade`,
  );
});

type Definition = AssetDefinition | CheckDefinition;

function asset(key: string, changes: Partial<AssetDefinition> = {}): AssetDefinition {
  return {
    kind: "asset",
    key: key as AssetKey,
    description: "",
    dependencies: [],
    export: true,
    exportTo: [],
    codeVersion: "1",
    group: "",
    tags: {},
    kinds: [],
    inPlace: false,
    retry: { maxRetries: 0, delayMs: 0, backoff: "constant", jitter: 0, maxCrashes: 0 },
    timeoutMs: 0,
    attemptLeaseMs: 60_000,
    gateTimeoutMs: 3_600_000,
    requiredChecks: [],
    source: { file: "assets.ts", line: 1 },
    ...changes,
  };
}

function check(of: string, name: string, changes: Partial<CheckDefinition> = {}): CheckDefinition {
  const source = { file: "checks.ts", line: 1 };
  const base = { description: "", blocking: true, version: 1, newVersionsOnly: false, timeoutMs: 0, source };
  return { kind: "check", asset: of as AssetKey, name, ...base, ...changes };
}

const broken: DefinitionError = { code: "definition.invalid", message: "does not load", hint: "mend it" };

interface Content {
  readonly good?: readonly Definition[];
  readonly errors?: readonly ManifestEntry[];
}

const keyOf = (definition: Definition): string =>
  definition.kind === "asset" ? definition.key : `${definition.asset}@${definition.name}`;

function apply(location: string, team: string, { good = [], errors = [] }: Content): Promise<AppliedManifest> {
  const definitions = new Map<string, ReceivedDefinition>();
  const entries: ManifestEntry[] = [...errors];
  for (const definition of good) {
    const hash = sha256(JSON.stringify(definition));
    definitions.set(hash, { ok: true, definition });
    entries.push({ kind: definition.kind, key: keyOf(definition), hash });
  }
  const definitionsHash = sha256(JSON.stringify(entries));
  const input = { location, team, definitionsHash, buildId: "b", entries, definitions };
  return withTransaction(database.pool, (tx) => applyManifest(tx, input));
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const assetError = (key: string): ManifestEntry => ({ kind: "asset", key, error: broken });
const moduleError = (key: string): ManifestEntry => ({ kind: "module", key, error: broken });

async function graph() {
  const { segments, owners, options } = await loadSegments(database.pool);
  return buildGraph(segments, owners, options);
}

async function epochs(): Promise<Record<string, number>> {
  const { rows } = await database.pool.query<{ asset_key: string; epoch: number }>(
    "select * from asset_gate where asset_key <> '' order by 1",
  );
  return Object.fromEntries(rows.map((row) => [row.asset_key, row.epoch]));
}

async function events(kind?: string): Promise<
  {
    seq: number;
    kind: string;
    location: string;
    asset_key: string | null;
    partition_key: string | null;
    payload: Record<string, unknown>;
  }[]
> {
  const { rows } = await database.pool.query<never>(
    "select * from events where $1::text is null or kind = $1 order by seq",
    [kind ?? null],
  );
  return rows;
}

/** A version with these results, as the run drive would have stored it. */
async function storeVersion(key: string, results: Record<string, [version: number, outcome: string]>): Promise<string> {
  const { pool } = database;
  const [runId, attemptId, versionId] = [randomUUID(), randomUUID(), randomUUID()];
  const insert = (text: string, values: unknown[]): Promise<pg.QueryResult> => pool.query(text, values);
  await insert(
    "insert into runs (id, state, source, actor, selection, step_count) values ($1, 'succeeded', 'manual', 'a', 's', 1)",
    [runId],
  );
  await insert(
    "insert into steps (run_id, index, kind, asset_key, location, state) values ($1, 0, 'materialize', $2, 'l', 'succeeded')",
    [runId, key],
  );
  await insert(
    `insert into attempts (id, run_id, step_index, number, epoch, kind, asset_key, partition_key, location, instance_id, version_id, state)
     values ($1, $2, 0, 1, 1, 'materialize', $3, '', 'l', 'i', $4, 'succeeded')`,
    [attemptId, runId, key, versionId],
  );
  await insert(
    `insert into versions (id, asset_key, partition_key, seq, run_id, attempt_id, location, code_version, data_version)
     values ($1, $2, '', 1, $3, $4, 'l', '1', '1')`,
    [versionId, key, runId, attemptId],
  );
  for (const [name, [version, outcome]] of Object.entries(results)) {
    await insert(
      `insert into check_results (id, version_id, asset_key, partition_key, team, name, check_version, outcome, run_id, attempt_id, seq)
       values ($1, $2, $3, '', split_part($4, ':', 1), split_part($4, ':', 2), $5, $6, $7, $8, 2)`,
      [randomUUID(), versionId, key, name, version, outcome, runId, attemptId],
    );
  }
  return versionId;
}

describe("applying a manifest", () => {
  it("stores definitions, owners and gates, and says so in one event", async () => {
    const applied = await apply("etl", "t", { good: [asset("t/a"), asset("t/b"), check("t/a", "c")] });
    expect(applied).toMatchObject({
      changed: true,
      added: ["t/a", "t/b", "t/a@c"],
      updated: [],
      removed: [],
      errors: 0,
    });
    const built = await graph();
    expect(built.order.map(({ key }) => key)).toEqual(["t/a", "t/b"]);
    expect(built.asset("t/a")?.checks.map(({ id }) => id)).toEqual(["t/a@t:c"]);
    expect(Object.keys(await epochs())).toEqual(["t/a", "t/b"]);
    expect(await events()).toMatchObject([
      { kind: "definitions_changed", payload: { added: ["t/a", "t/b", "t/a@c"], changed: [], removed: [], errors: 0 } },
    ]);
  });

  it("writes nothing when the hash is the one that is stored", async () => {
    const content = { good: [asset("t/a"), check("t/a", "c")] };
    await apply("etl", "t", content);
    const before = [await epochs(), await events()];
    const rows = "select xmin::text, * from location_definitions order by kind, key";
    const { rows: rowsBefore } = await database.pool.query(rows);
    expect((await apply("etl", "t", content)).changed).toBe(false);
    expect([await epochs(), await events()]).toEqual(before);
    expect((await database.pool.query(rows)).rows).toEqual(rowsBefore);
  });

  it("keeps the last good definition of what no longer loads, and forgets what never loaded once it is gone", async () => {
    await apply("etl", "t", { good: [asset("t/a"), check("t/a", "c")] });
    await apply("etl", "t", {
      errors: [assetError("t/a"), assetError("t/new"), { kind: "check", key: "t/a@c", error: broken }],
    });
    const built = await graph();
    expect(built.asset("t/a")?.error).toMatchObject({ code: "definition.invalid" });
    expect(built.asset("t/a")?.checks).toMatchObject([{ name: "c", error: { code: "definition.invalid" } }]);
    expect(built.asset("t/new")).toBeUndefined();
    expect(built.errors.map(({ key }) => key)).toContain("t/new");
    await apply("etl", "t", { good: [asset("t/a"), check("t/a", "c")] });
    const { rows } = await database.pool.query("select key, error from location_definitions order by key");
    expect(rows).toEqual([
      { key: "t/a", error: null },
      { key: "t/a@c", error: null },
    ]);
  });

  it("retires what vanished while it is read, and takes it back when it returns", async () => {
    await apply("etl", "t", { good: [asset("t/a")] });
    const reader = asset("u/r", { dependencies: [{ name: "a", asset: "t/a" as AssetKey, mode: "strict" }] });
    await apply("other", "u", { good: [reader] });
    expect((await apply("etl", "t", {})).removed).toEqual(["t/a"]);
    expect((await graph()).asset("t/a")).toMatchObject({ retired: true });
    expect((await apply("etl", "t", { good: [asset("t/a")] })).added).toEqual(["t/a"]);
    expect((await graph()).asset("t/a")).toMatchObject({ retired: false });
  });

  it("retires nothing while a module does not load that may still define it", async () => {
    await apply("etl", "t", { good: [asset("t/a"), check("t/a", "c")] });
    const applied = await apply("etl", "t", { errors: [moduleError("definitions.ts")] });
    expect(applied.removed).toEqual([]);
    const built = await graph();
    expect(built.asset("t/a")).toMatchObject({ retired: false, error: { code: "definition.module_failed" } });
    expect(built.asset("t/a")?.checks).toHaveLength(1);
    expect(built.asset("t/a")?.error?.message).toContain("definitions.ts");
  });

  it("gives a key to the location that came first, and absence does not free it", async () => {
    await apply("one", "t", { good: [asset("t/a")] });
    await apply("two", "t", { good: [asset("t/a", { codeVersion: "2" }), asset("t/b")] });
    expect((await graph()).asset("t/a")).toMatchObject({ location: "one" });
    expect((await graph()).errors).toMatchObject([
      { location: "two", key: "t/a", code: "definition.owned_by_another_location" },
    ]);
    await apply("one", "t", {});
    expect((await graph()).asset("t/a")?.location).not.toBe("two");
    expect((await graph()).asset("t/b")).toMatchObject({ location: "two" });
  });

  it("claims no key of another team", async () => {
    await apply("etl", "t", { good: [asset("u/stolen")] });
    const { rowCount } = await database.pool.query("select from asset_owners");
    expect(rowCount).toBe(0);
    await apply("rightful", "u", { good: [asset("u/stolen")] });
    expect((await graph()).asset("u/stolen")).toMatchObject({ location: "rightful" });
  });

  it("refuses a definition that is listed under a key that is not its own, and a second one under the same key", async () => {
    const hash = sha256("x");
    const definitions = new Map<string, ReceivedDefinition>([[hash, { ok: true, definition: asset("t/a") }]]);
    const entries: ManifestEntry[] = [
      { kind: "asset", key: "t/b", hash },
      { kind: "asset", key: "t/a", hash },
      { kind: "asset", key: "t/a", hash },
      { kind: "asset", key: "t/missing", hash: sha256("never sent") },
    ];
    const input = { location: "etl", team: "t", definitionsHash: "h", buildId: "b", entries, definitions };
    await withTransaction(database.pool, (tx) => applyManifest(tx, input));
    const { rows } = await database.pool.query(
      "select key, hash is not null as loaded, error ->> 'code' as code from location_definitions order by key",
    );
    expect(rows).toEqual([
      { key: "t/a", loaded: true, code: "definition.duplicate_key" },
      { key: "t/b", loaded: false, code: "definition.key_mismatch" },
      { key: "t/missing", loaded: false, code: "definition.not_sent" },
    ]);
  });

  it("applies manifests of several locations at once, with no hole in the log", async () => {
    const teams = ["a", "b", "c", "d", "e"];
    await Promise.all(
      teams.map((team) =>
        apply(team, team, { good: [asset(`${team}/x`), ...teams.map((other) => check(`${other}/x`, `by_${team}`))] }),
      ),
    );
    expect((await graph()).order).toHaveLength(5);
    expect((await graph()).order.map(({ checks }) => checks.length)).toEqual([5, 5, 5, 5, 5]);
    const log = await events();
    expect(log.map(({ seq }, n) => seq - n)).toEqual([1, 1, 1, 1, 1]);
    // Each saw what the one before it had done: a gate is raised when its asset comes, and by every check after that.
    expect(await epochs()).toEqual(
      Object.fromEntries(log.map(({ location }, n) => [`${location}/x`, teams.length - n])),
    );
  });
});

describe("gates", () => {
  const a = asset("t/a");

  it.each<[string, Definition[], boolean]>([
    ["a check is added", [a, check("t/a", "c"), check("t/a", "d")], true],
    ["a check is removed", [a], true],
    ["a check stops blocking", [a, check("t/a", "c", { blocking: false })], true],
    ["a check gets another version", [a, check("t/a", "c", { version: 2 })], true],
    ["a check exempts older versions", [a, check("t/a", "c", { newVersionsOnly: true })], true],
    ["the asset's definition changes", [asset("t/a", { codeVersion: "2" }), check("t/a", "c")], true],
    ["only a check's description changes", [a, check("t/a", "c", { description: "other" })], false],
    ["another asset is added", [a, check("t/a", "c"), asset("t/z")], false],
  ])("get a new epoch or not, when %s", async (_, next, bumped) => {
    await apply("etl", "t", { good: [a, check("t/a", "c")] });
    const before = (await epochs())["t/a"] ?? NaN;
    await apply("etl", "t", { good: next });
    expect((await epochs())["t/a"]).toBe(before + (bumped ? 1 : 0));
  });

  it("of an asset that another team checks get a new epoch when that check comes", async () => {
    await apply("etl", "t", { good: [a] });
    const before = (await epochs())["t/a"] ?? NaN;
    await apply("other", "u", { good: [check("t/a", "theirs")] });
    expect((await epochs())["t/a"]).toBe(before + 1);
  });
});

describe("removing or relaxing a check that held a gate closed is recorded as gate_opened with its cause", () => {
  const a = asset("t/a");
  const c = check("t/a", "c");
  const d = check("t/a", "d");

  it.each<[string, Definition[]]>([
    ["removed", [a]],
    ["made non-blocking", [a, check("t/a", "c", { blocking: false })]],
  ])("when it is %s", async (_, next) => {
    await apply("etl", "t", { good: [a, c] });
    const version = await storeVersion("t/a", { "t:c": [1, "failed"] });
    const applied = await apply("etl", "t", { good: next });
    expect(applied.opened).toMatchObject([{ version, checks: ["t/a@t:c"], team: undefined }]);
    expect(await events("gate_opened")).toMatchObject([
      { asset_key: "t/a", partition_key: "", payload: { version, cause: "definition", checks: ["t/a@t:c"] } },
    ]);
  });

  it("not while another check holds it closed, and not when it was open", async () => {
    await apply("etl", "t", { good: [a, c, d] });
    await storeVersion("t/a", { "t:c": [1, "failed"], "t:d": [1, "failed"] });
    await storeVersion("t/a", { "t:c": [1, "passed"], "t:d": [1, "warned"] });
    expect((await apply("etl", "t", { good: [a, d] })).opened).toEqual([]);
    expect(await events("gate_opened")).toEqual([]);
  });

  it("when it was pending: a check that never ran is removed", async () => {
    await apply("etl", "t", { good: [a, c] });
    const version = await storeVersion("t/a", {});
    expect((await apply("etl", "t", { good: [a] })).opened).toMatchObject([{ version }]);
  });

  it("to the readers of one team, when the check was that team's", async () => {
    await apply("etl", "t", { good: [a] });
    await apply("other", "u", { good: [check("t/a", "theirs")] });
    const version = await storeVersion("t/a", { "u:theirs": [1, "failed"] });
    expect((await apply("other", "u", {})).opened).toMatchObject([{ version, checks: ["t/a@u:theirs"], team: "u" }]);
  });

  it("to every reader, when the owner no longer requires another team's check", async () => {
    const reference = { asset: "t/a" as AssetKey, team: "u", name: "theirs" };
    await apply("other", "u", { good: [check("t/a", "theirs")] });
    await apply("etl", "t", { good: [asset("t/a", { requiredChecks: [reference] })] });
    const version = await storeVersion("t/a", { "u:theirs": [1, "failed"] });
    expect((await apply("etl", "t", { good: [a] })).opened).toMatchObject([{ version, team: undefined }]);
  });

  it("never when the check only fails to load: unknown is closed", async () => {
    await apply("etl", "t", { good: [a, c] });
    await storeVersion("t/a", { "t:c": [1, "failed"] });
    const applied = await apply("etl", "t", { good: [a], errors: [{ kind: "check", key: "t/a@c", error: broken }] });
    expect(applied.opened).toEqual([]);
  });
});

it("a location that leaves the workspace is retired, and loaded anew when it returns", async () => {
  const content = { good: [asset("t/a")] };
  const reader = asset("u/r", { dependencies: [{ name: "a", asset: "t/a" as AssetKey, mode: "strict" }] });
  await apply("etl", "t", content);
  await apply("other", "u", { good: [reader] });
  expect((await withTransaction(database.pool, (tx) => removeLocation(tx, "etl", "t"))).removed).toEqual(["t/a"]);
  expect((await graph()).asset("t/a")).toMatchObject({ retired: true });
  expect((await withTransaction(database.pool, (tx) => removeLocation(tx, "etl", "t"))).changed).toBe(false);
  expect((await apply("etl", "t", content)).added).toEqual(["t/a"]);
  expect((await graph()).asset("t/a")).toMatchObject({ retired: false });
});

describe("an asset that is un-exported while others read it", () => {
  const upstream = (exported: boolean) => ({ good: [asset("a/x", { export: exported })] });
  const reader = (key: string) =>
    asset(key, { dependencies: [{ name: "x", asset: "a/x" as AssetKey, mode: "strict" }] });

  it("goes on serving the edges that were there, with a warning, and refuses new ones", async () => {
    await apply("a", "a", upstream(true));
    await apply("b", "b", { good: [reader("b/old")] });
    await apply("a", "a", upstream(false));
    await apply("b", "b", { good: [reader("b/old"), reader("b/new")] });
    const { assets, errors, warnings } = await graph();
    expect([...assets.keys()].sort()).toEqual(["a/x", "b/old"]);
    expect(errors.map(({ key, code }) => [key, code])).toEqual([["b/new", "definition.not_exported"]]);
    expect(warnings.map(({ key, code }) => [key, code])).toEqual([["b/old", "definition.unexported_upstream"]]);
  });

  it("forgets an edge that its reader has given up", async () => {
    await apply("a", "a", upstream(true));
    await apply("b", "b", { good: [reader("b/old")] });
    await apply("b", "b", { good: [asset("b/old")] });
    await apply("a", "a", upstream(false));
    await apply("b", "b", { good: [reader("b/old")] });
    expect((await graph()).errors.map(({ key, code }) => [key, code])).toEqual([["b/old", "definition.not_exported"]]);
  });
});
