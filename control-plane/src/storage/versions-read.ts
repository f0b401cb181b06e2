import { type Kysely, sql } from "kysely";
import type { VersionView } from "../domain/gate.ts";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";
import type { InputRow, Schema } from "./schema.ts";

/** A version as the gate sees it, with where it comes from. */
export interface VersionRecord {
  readonly view: VersionView;
  readonly assetKey: string;
  /** Null: it was reported by API. */
  readonly attemptId: string | null;
  readonly location: string;
  readonly inputs: readonly InputRow[];
  readonly discarded: { readonly at: Date; readonly by: string; readonly reason: string } | undefined;
  /** No version of its partition that is not discarded has a higher sequence number. */
  readonly newest: boolean;
}

interface Row {
  view: VersionView;
  asset_key: string;
  attempt_id: string | null;
  location: string;
  inputs: InputRow[];
  discarded_at: Date | null;
  discarded_by: string | null;
  discard_reason: string | null;
  newest: boolean;
}

const columns = sql`version_state(v.id) as view, v.asset_key, v.attempt_id, v.location, v.inputs, v.discarded_at,
  v.discarded_by, v.discard_reason, v.discarded_at is null and not exists (select from versions n
    where n.asset_key = v.asset_key and n.partition_key = v.partition_key and n.discarded_at is null
      and n.seq > v.seq) as newest`;

/** Newest first, discarded ones among them; of one partition, or of all. The position is the sequence number. */
export async function listVersions(
  db: Kysely<Schema>,
  assetKey: string,
  partition: string | undefined,
  page: PageRequest<number>,
): Promise<Page<VersionRecord, number>> {
  const { rows } = await sql<Row>`select ${columns} from versions v where v.asset_key = ${assetKey}
      ${partition === undefined ? sql`` : sql`and v.partition_key = ${partition}`}
      ${page.after === undefined ? sql`` : sql`and v.seq < ${page.after}`}
    order by v.seq desc limit ${page.limit + 1}`.execute(db);
  return pageOf(rows.map(versionRecord), page.limit, (record) => record.view.seq);
}

export async function readVersion(db: Kysely<Schema>, id: string): Promise<VersionRecord | undefined> {
  const { rows } = await sql<Row>`select ${columns} from versions v where v.id = ${id}`.execute(db);
  return rows.map(versionRecord)[0];
}

/** Those of these versions that are there, by id. */
export async function readVersions(
  db: Kysely<Schema>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, VersionRecord>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<Row>`select ${columns} from versions v where v.id = any (${ids})`.execute(db);
  return new Map(rows.map((row) => [row.view.id, versionRecord(row)]));
}

/** The newest version of a partition that is not discarded. */
export async function readNewestVersion(
  db: Kysely<Schema>,
  assetKey: string,
  partition: string,
): Promise<VersionRecord | undefined> {
  const { rows } = await sql<Row>`select ${columns} from versions v
    where v.asset_key = ${assetKey} and v.partition_key = ${partition} and v.discarded_at is null
    order by v.seq desc limit 1`.execute(db);
  return rows.map(versionRecord)[0];
}

function versionRecord(row: Row): VersionRecord {
  const { discarded_at: at, discarded_by: by, discard_reason: reason } = row;
  return {
    view: row.view,
    assetKey: row.asset_key,
    attemptId: row.attempt_id,
    location: row.location,
    inputs: row.inputs,
    discarded: at === null ? undefined : { at, by: by ?? "", reason: reason ?? "" },
    newest: row.newest,
  };
}
