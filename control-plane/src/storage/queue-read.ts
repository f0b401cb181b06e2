import type pg from "pg";
import type { TagLimit } from "../domain/run-queue.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

export interface QueueCounts {
  readonly team: string;
  /** Runs that have not started. */
  readonly queued: number;
  /** Runs that hold a slot. */
  readonly held: number;
  /** Runs that have started and hold none: nothing of them can go on, or they ask for a slot again. */
  readonly waiting: number;
}

/** How many runs of each team there are that have not ended, by team. */
export async function countQueue(db: Queryable): Promise<readonly QueueCounts[]> {
  // One part an index that holds none but such runs: those that have ended are many.
  const { rows } = await db.query<QueueCounts>(
    `select team, sum(queued)::integer as queued, sum(held)::integer as held, sum(waiting)::integer as waiting from (
       select team, count(*) filter (where state = 'queued') as queued, 0 as held, count(*) filter (where state <> 'queued') as waiting
         from runs where slot = 'wanted' and ended_at is null group by team
       union all
       select team, 0, count(*), 0 from runs where slot = 'held' and ended_at is null group by team
       union all
       select team, 0, 0, count(*) from runs where slot = 'released' and driver is not null and ended_at is null group by team
     ) parts group by team order by team`,
  );
  return rows;
}

export interface TagCount {
  readonly value: string;
  readonly held: number;
}

/** The runs that hold a slot and that the limit concerns, by the tag's value. */
export async function countTagged(db: Queryable, { key, value }: TagLimit): Promise<readonly TagCount[]> {
  const { rows } = await db.query<TagCount>(
    `select tags ->> $1 as value, count(*)::integer as held from runs
     where slot = 'held' and ended_at is null and tags ? $1 and ($2::text is null or tags ->> $1 = $2) group by 1 order by 1`,
    [key, value ?? null],
  );
  return rows;
}
