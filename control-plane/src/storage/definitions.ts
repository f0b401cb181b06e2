import { parseAssetKey, teamOf } from "@headgate/model";
import type pg from "pg";
import type { AssetOwners } from "../domain/asset-graph.ts";
import type { Definition } from "../domain/definitions.ts";
import type { GateOpening } from "../domain/gating-change.ts";
import { buildGraph } from "../domain/graph.ts";
import type { Manifest, ReceivedDefinition } from "../domain/manifest.ts";
import type { NewEvent } from "./append-events.ts";
import { changeGraph } from "./change-graph.ts";
import {
  type DefinitionRow,
  graphOptions,
  locationSegment,
  readDefinitionRows,
  toErrorRow,
} from "./definition-rows.ts";
import { lockDefinitions } from "./definitions-lock.ts";
import { firstSeenAs } from "./first-seen.ts";
import { nextDefinitions, rowKey } from "./next-definitions.ts";

export { loadSegments } from "./definition-rows.ts";

export interface ManifestInput extends Manifest {
  readonly location: string;
  readonly team: string;
  /** What the location sent; definitions that are stored already may be left out. */
  readonly definitions: ReadonlyMap<string, ReceivedDefinition>;
}

export interface AppliedManifest {
  /** False: this manifest had been applied before, and nothing was written. */
  readonly changed: boolean;
  readonly added: readonly string[];
  readonly updated: readonly string[];
  readonly removed: readonly string[];
  /** Definitions that did not load. */
  readonly errors: number;
  /** Versions that a removed or relaxed check had held closed. */
  readonly opened: readonly GateOpening[];
}

const keysInEventMax = 1_000;
const unchanged: AppliedManifest = { changed: false, added: [], updated: [], removed: [], errors: 0, opened: [] };

/** Which of these definitions are not stored yet. */
export async function unknownDefinitions(
  db: Pick<pg.Pool | pg.PoolClient, "query">,
  hashes: readonly string[],
): Promise<string[]> {
  const { rows } = await db.query<{ hash: string }>(
    "select distinct h as hash from unnest($1::text[]) h where not exists (select from definitions where hash = h)",
    [hashes],
  );
  return rows.map(({ hash }) => hash);
}

/**
 * Makes a manifest the location's newest: definitions, owners, gates and events in the caller's transaction. Applying
 * the same one twice is harmless. Locks: gates in ascending key order, last the event log.
 */
export async function applyManifest(tx: pg.PoolClient, input: ManifestInput): Promise<AppliedManifest> {
  const { location, team, definitionsHash } = input;
  const nowMs = await lockLocation(tx, location, team);
  if (await isApplied(tx, location, team, definitionsHash)) return unchanged;
  await insertDefinitions(tx, input.definitions);
  const stored = await readDefinitionRows(tx);
  const previous = stored.locations.find((entry) => entry.location === location)?.rows ?? [];
  const definitions = await resolveDefinitions(tx, input, previous);
  const firstSeenMs = firstSeenAs(stored, team, definitions);
  const rows = nextDefinitions(previous, { entries: input.entries, definitions }, nowMs, firstSeenMs);
  await tx.query(
    `update locations set team = $2, definitions_hash = $3, build_id = $4, loaded_at = to_timestamp($5::double precision / 1000),
       removed_at = null where name = $1`,
    [location, team, definitionsHash, input.buildId, nowMs],
  );
  const owners = await claimAssets(tx, location, team, rows, stored.owners);
  return replaceRows(tx, { location, team, definitionsHash, previous, rows, owners, stored, nowMs });
}

/** A location that left the workspace: its definitions are retired, and serve whoever reads its assets. */
export async function removeLocation(tx: pg.PoolClient, location: string, team: string): Promise<AppliedManifest> {
  const nowMs = await lockLocation(tx, location, team);
  const { rows: found } = await tx.query<{ team: string }>(
    `update locations set removed_at = to_timestamp($2::double precision / 1000), definitions_hash = null
       where name = $1 and removed_at is null returning team`,
    [location, nowMs],
  );
  if (found[0] === undefined) return unchanged;
  const stored = await readDefinitionRows(tx);
  const previous = stored.locations.find((entry) => entry.location === location)?.rows ?? [];
  const rows = nextDefinitions(previous, { entries: [], definitions: new Map() }, nowMs);
  const { owners } = stored;
  return replaceRows(tx, { location, team: found[0].team, definitionsHash: "", previous, rows, owners, stored, nowMs });
}

async function lockLocation(tx: pg.PoolClient, location: string, team: string): Promise<number> {
  const nowMs = await lockDefinitions(tx);
  await tx.query("insert into locations (name, team, state) values ($1, $2, 'loading') on conflict do nothing", [
    location,
    team,
  ]);
  return nowMs;
}

async function isApplied(tx: pg.PoolClient, location: string, team: string, hash: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    "select from locations where name = $1 and team = $2 and definitions_hash = $3 and removed_at is null",
    [location, team, hash],
  );
  return rowCount === 1;
}

async function insertDefinitions(tx: pg.PoolClient, received: ReadonlyMap<string, ReceivedDefinition>): Promise<void> {
  const good = [...received].flatMap(([hash, { ok, ...rest }]) =>
    ok && "definition" in rest ? [{ hash, kind: rest.definition.kind, body: rest.definition }] : [],
  );
  if (good.length === 0) return;
  await tx.query(
    `insert into definitions (hash, kind, body)
       select hash, kind, body from jsonb_to_recordset($1) as x (hash text, kind text, body jsonb) order by hash
       on conflict do nothing`,
    [JSON.stringify(good)],
  );
}

/** What was sent, and what is stored of what was not. */
async function resolveDefinitions(
  tx: pg.PoolClient,
  { entries, definitions }: ManifestInput,
  previous: readonly DefinitionRow[],
): Promise<ReadonlyMap<string, ReceivedDefinition>> {
  const resolved = new Map(definitions);
  for (const { hash, body } of previous) {
    if (hash !== null && body !== null && !resolved.has(hash)) resolved.set(hash, { ok: true, definition: body });
  }
  const missing = entries.flatMap(({ hash }) => (hash === undefined || resolved.has(hash) ? [] : [hash]));
  if (missing.length > 0) {
    const { rows } = await tx.query<{ hash: string; body: Definition }>(
      "select hash, body from definitions where hash = any ($1)",
      [missing],
    );
    for (const { hash, body } of rows) resolved.set(hash, { ok: true, definition: body });
  }
  return resolved;
}

/** First come: a key belongs to the location that defined it first, and absence does not free it. */
async function claimAssets(
  tx: pg.PoolClient,
  location: string,
  team: string,
  rows: readonly DefinitionRow[],
  owners: AssetOwners,
): Promise<AssetOwners> {
  const claimed = rows
    .filter(({ kind, hash, key }) => kind === "asset" && hash !== null && !isHeld(owners, key) && isOfTeam(key, team))
    .map(({ key }) => key)
    .sort();
  if (claimed.length === 0) return owners;
  await tx.query(
    `insert into asset_owners (asset_key, team, location) select k, $2, $3 from unnest($1::text[]) k order by k
       on conflict (asset_key) do update set location = excluded.location, claimed_at = clock_timestamp()
         where asset_owners.location is null`,
    [claimed, team, location],
  );
  // Defined anew, with a new history.
  await tx.query("delete from asset_deletions where asset_key = any ($1) and done_at is not null", [claimed]);
  return new Map([...owners, ...claimed.map((key) => [key, { team, location }] as const)]);
}

/** A released key is registered, and held by nobody. */
function isHeld(owners: AssetOwners, key: string): boolean {
  return (owners.get(key)?.location ?? null) !== null;
}

function isOfTeam(text: string, team: string): boolean {
  const key = parseAssetKey(text);
  return key !== undefined && teamOf(key) === team;
}

interface Replacement {
  readonly location: string;
  readonly team: string;
  readonly definitionsHash: string;
  readonly previous: readonly DefinitionRow[];
  readonly rows: readonly DefinitionRow[];
  /** With the claims of this manifest. */
  readonly owners: AssetOwners;
  /** Of all locations, before. */
  readonly stored: Awaited<ReturnType<typeof readDefinitionRows>>;
  readonly nowMs: number;
}

async function replaceRows(tx: pg.PoolClient, replacement: Replacement): Promise<AppliedManifest> {
  const { location, team, previous, rows, owners, stored, nowMs } = replacement;
  await writeRows(tx, location, previous, rows);
  const others = stored.locations.filter((entry) => entry.location !== location);
  const summary = summarize(previous, rows);
  const opened = await changeGraph(tx, {
    before: buildGraph(stored.locations.map(locationSegment), stored.owners, graphOptions(stored)),
    after: buildGraph([...others, { location, team, rows }].map(locationSegment), owners, graphOptions(stored)),
    stored,
    location,
    events: [changedEvent(replacement, summary)],
    nowMs,
  });
  return { changed: true, ...summary, opened };
}

async function writeRows(
  tx: pg.PoolClient,
  location: string,
  previous: readonly DefinitionRow[],
  rows: readonly DefinitionRow[],
): Promise<void> {
  const before = new Map(previous.map((row) => [rowKey(row), row]));
  const kept = new Set(rows.map(rowKey));
  const gone = previous.filter((row) => !kept.has(rowKey(row)));
  if (gone.length > 0) {
    await tx.query(
      `delete from location_definitions d using unnest($2::text[], $3::text[]) as x (kind, key)
         where d.location = $1 and d.kind = x.kind and d.key = x.key`,
      [location, gone.map(({ kind }) => kind), gone.map(({ key }) => key)],
    );
  }
  const changed = rows.filter((row) => !sameRow(before.get(rowKey(row)), row));
  if (changed.length === 0) return;
  await tx.query(
    `insert into location_definitions (location, kind, key, hash, error, retired_at, first_seen_at)
       select $1, kind, key, hash, error, to_timestamp("retiredMs" / 1000), to_timestamp("firstSeenMs" / 1000)
       from jsonb_to_recordset($2) as x (kind text, key text, hash text, error jsonb, "retiredMs" double precision,
         "firstSeenMs" double precision)
       on conflict (location, kind, key) do update
         set hash = excluded.hash, error = excluded.error, retired_at = excluded.retired_at`,
    [
      location,
      JSON.stringify(
        changed.map(({ kind, key, hash, error, retiredMs, firstSeenMs }) => ({
          kind,
          key,
          hash,
          error: error === null ? null : toErrorRow(error),
          retiredMs,
          firstSeenMs,
        })),
      ),
    ],
  );
}

function sameRow(a: DefinitionRow | undefined, b: DefinitionRow): boolean {
  return (
    a !== undefined &&
    a.hash === b.hash &&
    a.retiredMs === b.retiredMs &&
    JSON.stringify(a.error && toErrorRow(a.error)) === JSON.stringify(b.error && toErrorRow(b.error))
  );
}

type Summary = Pick<AppliedManifest, "added" | "updated" | "removed" | "errors">;

function summarize(previous: readonly DefinitionRow[], rows: readonly DefinitionRow[]): Summary {
  const before = new Map(previous.map((row) => [rowKey(row), row]));
  const added: string[] = [];
  const updated: string[] = [];
  const removed: string[] = [];
  for (const row of rows) {
    const last = before.get(rowKey(row));
    const was = last !== undefined && last.hash !== null && last.retiredMs === null;
    const is = row.hash !== null && row.retiredMs === null;
    if (is && !was) added.push(row.key);
    else if (was && !is) removed.push(row.key);
    else if (is && last?.hash !== row.hash) updated.push(row.key);
  }
  return { added, updated, removed, errors: rows.filter((row) => row.error !== null).length };
}

/** Names at most a thousand keys of each sort; the counts are always whole. */
function changedEvent({ location, team, definitionsHash }: Replacement, summary: Summary): NewEvent {
  const { added, updated, removed, errors } = summary;
  const payload = {
    team,
    definitionsHash,
    added: added.slice(0, keysInEventMax),
    changed: updated.slice(0, keysInEventMax),
    removed: removed.slice(0, keysInEventMax),
    addedCount: added.length,
    changedCount: updated.length,
    removedCount: removed.length,
    errors,
  };
  return { kind: "definitions_changed", location, payload };
}
