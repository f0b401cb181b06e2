import { randomUUID } from "node:crypto";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { noQueueRules } from "../../control-plane/src/domain/run-queue.ts";
import { createApp } from "../../control-plane/src/http/app.ts";
import { openEventFeed } from "../../control-plane/src/http/event-feed.ts";
import { listen } from "../../control-plane/src/processes/listen.ts";
import { openNotifications } from "../../control-plane/src/storage/notifications.ts";
import { testDatabase } from "../support/database.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";
import { randomGraph } from "../support/random-graph.ts";

export interface GraphServer {
  readonly url: string;
  /** Keys of assets whose gate is closed. */
  readonly closed: readonly string[];
  /** Makes a new open version of these, as a run would. */
  materialize(keys: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

const checkName = "rows_in_range";

/** The API and the web UI over a real database, with a large generated graph in which most is well and some is not. */
export async function startGraphServer(assets: number, teams: number): Promise<GraphServer> {
  const generated = randomGraph(assets, teams);
  const reads: string[][] = generated.keys.map(() => []);
  for (const [from, to] of generated.edges) {
    const key = generated.keys[from] ?? "";
    if (!(reads[to] ?? []).includes(key)) reads[to]?.push(key);
  }
  const names = [...new Set(generated.groups)].sort();
  const segments = names.map((team) => {
    const own = generated.keys.flatMap((key, i) => (generated.groups[i] === team ? [{ key, i }] : []));
    return locationOf(
      team,
      own.map(({ key, i }) => assetOf(key, reads[i] ?? [])),
      own.filter(({ i }) => i % 3 === 0).map(({ key }) => checkOf(key, checkName)),
    );
  });
  const graph = buildGraph(segments, new Map());
  const database = await testDatabase();
  await database.pool.query("select ensure_event_partitions()");
  await database.pool.query(
    `insert into locations (name, team, state, address, loaded_at, last_seen_at)
     select name, name, case when name = $2 then 'unreachable' else 'healthy' end, '127.0.0.1:1', now(), now() - interval '4 minutes'
     from unnest($1::text[]) name`,
    [names, names[3] ?? ""],
  );
  await database.pool.query("insert into asset_gate (asset_key) select unnest($1::text[])", [generated.keys]);
  // One asset in 400 of those with a check fails it; one in 30 was never made.
  const made = generated.keys.filter((_, i) => i % 30 !== 7);
  const closed = generated.keys.filter((_, i) => i % 3 === 0 && i % 30 !== 7 && i % 401 === 0);
  await insertVersions(database.pool, made, new Set(closed));
  const notifications = openNotifications(database.url);
  const events = await openEventFeed(database.db, notifications);
  const app = await createApp({
    pool: database.pool,
    db: database.db,
    graph: () => graph,
    workspace: () => ({ teams: {}, queue: noQueueRules, entries: [], problems: [] }),
    now: () => Date.now(),
    newId: randomUUID,
    events,
    actor: "bench",
  });
  const port = await listen(app, "127.0.0.1", 0, true);
  return {
    url: `http://127.0.0.1:${port}`,
    closed,
    async materialize(keys) {
      await insertVersions(database.pool, keys, new Set());
      await database.pool.query(
        `select append_events((select jsonb_agg(jsonb_build_object('kind', 'version_recorded', 'assetKey', key)) from unnest($1::text[]) key))`,
        [keys],
      );
      await database.pool.query("notify headgate_events");
    },
    async close() {
      await app.close();
      await events.close();
      await notifications.close();
      await database.drop();
    },
  };
}

async function insertVersions(
  pool: Awaited<ReturnType<typeof testDatabase>>["pool"],
  keys: readonly string[],
  failing: ReadonlySet<string>,
): Promise<void> {
  const ids = keys.map(() => randomUUID());
  await pool.query(
    `insert into versions (id, asset_key, partition_key, seq, location, code_version, data_version)
     select id, key, '', coalesce((select max(seq) from versions), 0) + n, split_part(key, '/', 1), '1', id::text
     from unnest($1::uuid[], $2::text[]) with ordinality as made (id, key, n)`,
    [ids, keys],
  );
  await pool.query(
    `insert into check_results (id, version_id, asset_key, partition_key, team, name, check_version, outcome, description, seq)
     select gen_random_uuid(), id, key, '', split_part(key, '/', 1), $3, 1, outcome,
       case outcome when 'failed' then '8,113 rows, at most 0 expected' else '' end, n
     from unnest($1::uuid[], $2::text[], $4::text[]) with ordinality as checked (id, key, outcome, n)`,
    [ids, keys, checkName, keys.map((key) => (failing.has(key) ? "failed" : "passed"))],
  );
}
