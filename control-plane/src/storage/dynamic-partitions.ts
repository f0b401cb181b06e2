import { dynamicKeysMax } from "@headgate/model";
import type { Kysely, Selectable } from "kysely";
import type pg from "pg";
import type { DynamicSets } from "../domain/dynamic-sets.ts";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";
import type { Schema } from "./schema.ts";

/** A dynamic set by its owner and name. */
export interface SetName {
  readonly team: string;
  readonly name: string;
}

export type AddedKeys =
  | { readonly kind: "added"; readonly added: readonly string[]; readonly count: number }
  /** Nothing was added: the set would have this many keys. */
  | { readonly kind: "full"; readonly count: number };

/**
 * Adds the keys that are not there, in their order, after all that ever were. Locks the set until the transaction ends.
 */
export async function addDynamicKeys(
  tx: pg.PoolClient,
  { team, name }: SetName,
  keys: readonly string[],
  actor: string,
): Promise<AddedKeys> {
  const locked = await tx.query<{ next_ordinal: number; key_count: number }>(
    `insert into dynamic_sets (team, name) values ($1, $2)
       on conflict (team, name) do update set name = excluded.name returning next_ordinal, key_count`,
    [team, name],
  );
  const { next_ordinal: next = 0, key_count: count = 0 } = locked.rows[0] ?? {};
  const { rows: known } = await tx.query<{ key: string }>(
    "select key from dynamic_partitions where team = $1 and name = $2 and key = any ($3)",
    [team, name, keys],
  );
  const there = new Set(known.map(({ key }) => key));
  const added = [...new Set(keys)].filter((key) => !there.has(key));
  if (count + added.length > dynamicKeysMax) return { kind: "full", count: count + added.length };
  await tx.query(
    `insert into dynamic_partitions (team, name, key, ordinal, added_by)
       select $1, $2, key, $4 + place - 1, $5 from unnest($3::text[]) with ordinality as x (key, place)`,
    [team, name, added, next, actor],
  );
  await tx.query(
    `update dynamic_sets set next_ordinal = next_ordinal + $3, key_count = key_count + $3 where team = $1 and name = $2`,
    [team, name, added.length],
  );
  return { kind: "added", added, count: count + added.length };
}

/** Removes the keys that are there; their ordinals stay used. Locks the set until the transaction ends. */
export async function removeDynamicKeys(
  tx: pg.PoolClient,
  { team, name }: SetName,
  keys: readonly string[],
): Promise<{ readonly removed: readonly string[]; readonly count: number }> {
  const locked = await tx.query<{ key_count: number }>(
    "select key_count from dynamic_sets where team = $1 and name = $2 for update",
    [team, name],
  );
  const { rows } = await tx.query<{ key: string }>(
    "delete from dynamic_partitions where team = $1 and name = $2 and key = any ($3) returning key",
    [team, name, keys],
  );
  await tx.query("update dynamic_sets set key_count = key_count - $3 where team = $1 and name = $2", [
    team,
    name,
    rows.length,
  ]);
  const gone = new Set(rows.map(({ key }) => key));
  const removed = [...new Set(keys)].filter((key) => gone.has(key));
  return { removed, count: (locked.rows[0]?.key_count ?? 0) - rows.length };
}

export type DynamicKeyRow = Selectable<Schema["dynamic_partitions"]>;

/** The keys of a set in the order in which they were added; the position is the ordinal. */
export async function listDynamicKeys(
  db: Kysely<Schema>,
  { team, name }: SetName,
  page: PageRequest<number>,
): Promise<Page<DynamicKeyRow, number>> {
  let query = db
    .selectFrom("dynamic_partitions")
    .selectAll()
    .where("team", "=", team)
    .where("name", "=", name)
    .orderBy("ordinal")
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where("ordinal", ">", page.after);
  return pageOf(await query.execute(), page.limit, (row) => row.ordinal);
}

/** How many keys each set has. */
export async function countDynamicKeys(
  db: Pick<pg.Pool | pg.PoolClient, "query">,
): Promise<(team: string, name: string) => number> {
  const { rows } = await db.query<{ team: string; name: string; count: number }>(
    "select team, name, key_count as count from dynamic_sets",
  );
  const counts = new Map(rows.map(({ team, name, count }) => [`${team}/${name}`, count]));
  return (team, name) => counts.get(`${team}/${name}`) ?? 0;
}

/** Every key of every set: the snapshot that the asset graph is built with. */
export async function readDynamicSets(db: Pick<pg.Pool | pg.PoolClient, "query">): Promise<DynamicSets> {
  const { rows } = await db.query<{ team: string; name: string; keys: string[] }>(
    "select team, name, array_agg(key order by ordinal) as keys from dynamic_partitions group by team, name",
  );
  const sets = new Map(rows.map(({ team, name, keys }) => [`${team}/${name}`, keys]));
  return (team, name) => sets.get(`${team}/${name}`) ?? [];
}
