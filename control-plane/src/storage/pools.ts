import type pg from "pg";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

export interface PoolRow {
  readonly name: string;
  /** Null: no limit was set. */
  readonly slots: number | null;
  readonly setAt: Date | null;
  readonly setBy: string | null;
  /** Slots that attempts in flight have; what one call computes has one. */
  readonly held: number;
}

/** Pools with a limit, and pools of which a slot is held, by name. */
export async function listPools(db: Queryable): Promise<readonly PoolRow[]> {
  const { rows } = await db.query<PoolRow>(
    `select coalesce(p.name, a.pool) as name, p.slots, p.set_at as "setAt", p.set_by as "setBy",
       coalesce(a.held, 0)::integer as held
     from pools p full join (
       select pool, count(distinct coalesce(computation, id)) as held from attempts
         where pool is not null and state in ('leased', 'started', 'unknown') group by pool) a on a.pool = p.name
     order by 1`,
  );
  return rows;
}

export interface PoolHolder {
  readonly attempt: string;
  readonly run: string;
  readonly step: number;
  readonly asset: string;
  readonly partition: string;
  readonly location: string;
  readonly state: "leased" | "started" | "unknown";
  readonly leasedAt: Date;
}

/** The attempts that have a slot of the pool, oldest first; of what one call computes, the first. */
export async function listHolders(db: Queryable, pool: string, limit: number): Promise<readonly PoolHolder[]> {
  const { rows } = await db.query<PoolHolder>(
    `select id as attempt, run_id as run, step_index as step, asset_key as asset, partition_key as partition, location,
       state, leased_at as "leasedAt" from (
         select distinct on (coalesce(computation, id)) * from attempts
           where pool = $1 and pool is not null and state in ('leased', 'started', 'unknown')
           order by coalesce(computation, id), step_index) first
     order by leased_at, id limit $2`,
    [pool, limit],
  );
  return rows;
}

/** Sets how many slots a pool has, or that it has no limit; returns how many it had. Holds nobody up who has one. */
export async function setPool(
  tx: pg.PoolClient,
  name: string,
  slots: number | null,
  actor: string,
): Promise<{ readonly before: number | null }> {
  const { rows } = await tx.query<{ slots: number }>("select slots from pools where name = $1 for update", [name]);
  if (slots === null) {
    await tx.query("delete from pools where name = $1", [name]);
  } else {
    await tx.query(
      `insert into pools (name, slots, set_by) values ($1, $2, $3)
         on conflict (name) do update set slots = excluded.slots, set_by = excluded.set_by, set_at = clock_timestamp()`,
      [name, slots, actor],
    );
  }
  return { before: rows[0]?.slots ?? null };
}
