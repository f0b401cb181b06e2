import type pg from "pg";

export interface NewWaiver {
  readonly id: string;
  readonly versionId: string;
  readonly assetKey: string;
  readonly partition: string;
  /** Owner and name of the check. */
  readonly team: string;
  readonly name: string;
  readonly reason: string;
  readonly actor: string;
  readonly until: Date;
}

/** Stores a waiver. False if one for this version and check has not ended yet. */
export async function insertWaiver(tx: pg.PoolClient, waiver: NewWaiver): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into waivers (id, version_id, asset_key, partition_key, team, name, reason, actor, until)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (version_id, team, name) where ended_at is null do nothing`,
    [
      waiver.id,
      waiver.versionId,
      waiver.assetKey,
      waiver.partition,
      waiver.team,
      waiver.name,
      waiver.reason,
      waiver.actor,
      waiver.until,
    ],
  );
  return rowCount === 1;
}

/** Ends a waiver. False if it had ended already. */
export async function endWaiver(tx: pg.PoolClient, id: string, actor: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    "update waivers set ended_at = clock_timestamp(), ended_by = $2 where id = $1 and ended_at is null",
    [id, actor],
  );
  return rowCount === 1;
}
