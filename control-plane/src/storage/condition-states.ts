import type { AssetKey } from "@headgate/model";
import type pg from "pg";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** What the condition of an asset remembers, as it is stored. */
export interface ConditionStateRow {
  readonly asset: AssetKey;
  readonly conditionHash: string;
  readonly sinceMs: number;
  readonly revision: number;
  readonly seq: number | null;
  readonly requested: unknown;
  readonly held: unknown;
}

/** A condition by what it says, in the form that it has now. */
export interface ConditionForm {
  readonly asset: AssetKey;
  readonly conditionHash: string;
}

/** Begins what is new or was written for another form; those that are as they were stay. */
export async function beginConditionStates(
  db: Queryable,
  forms: readonly ConditionForm[],
  nowMs: number,
): Promise<void> {
  await db.query(
    `insert into condition_states (asset_key, condition_hash, since)
     select asset, "conditionHash", to_timestamp($2 / 1000.0)
       from jsonb_to_recordset($1::jsonb) as x (asset text, "conditionHash" text) order by asset
     on conflict (asset_key) do update set condition_hash = excluded.condition_hash, since = excluded.since,
         revision = condition_states.revision + 1, seq = null, requested = '[]', held = '{}'
       where condition_states.condition_hash <> excluded.condition_hash`,
    [JSON.stringify(forms), nowMs],
  );
}

const columns = `asset_key as asset, condition_hash as "conditionHash", floor(extract(epoch from since) * 1000) as "sinceMs",
  revision, seq, requested, held`;

export async function readConditionStates(
  db: Queryable,
  assets: readonly AssetKey[],
): Promise<readonly ConditionStateRow[]> {
  const { rows } = await db.query<Record<keyof ConditionStateRow, never>>(
    `select ${columns} from condition_states where asset_key = any ($1)`,
    [assets],
  );
  return rows.map(fromRow);
}

/** What a condition remembers from now on. */
export type WrittenState = Pick<ConditionStateRow, "asset" | "seq" | "requested" | "held">;

/**
 * Holds these states until the commit, and the gates of these assets; returns the revisions of the states. What is read
 * after it, in a statement of its own, stands.
 */
export async function lockConditionStates(
  tx: Queryable,
  assets: readonly AssetKey[],
  gates: readonly AssetKey[] = [],
): Promise<ReadonlyMap<AssetKey, number>> {
  const { rows } = await tx.query<{ asset_key: AssetKey; revision: number }>(
    `with states as materialized (
         select asset_key, revision from condition_states where asset_key = any ($1) order by asset_key for no key update),
       gates as materialized (
         select 1 from asset_gate where asset_key = any ($2) order by asset_key for share)
     select asset_key, revision, (select count(*) from gates) as gates from states`,
    [assets, gates],
  );
  return new Map(rows.map((row) => [row.asset_key, Number(row.revision)]));
}

/** Writes what conditions remember from now on, under the next revision; the caller has locked them. */
export async function writeConditionStates(tx: Queryable, states: readonly WrittenState[]): Promise<void> {
  await tx.query(
    `update condition_states s set revision = s.revision + 1, seq = x.seq, requested = x.requested, held = x.held
     from jsonb_to_recordset($1::jsonb) as x (asset text, seq bigint, requested jsonb, held jsonb)
     where s.asset_key = x.asset`,
    [JSON.stringify(states)],
  );
}

function fromRow(row: Record<keyof ConditionStateRow, never>): ConditionStateRow {
  return {
    ...row,
    sinceMs: Number(row.sinceMs),
    revision: Number(row.revision),
    seq: row.seq === null ? null : Number(row.seq),
  };
}
