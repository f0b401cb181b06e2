import type pg from "pg";

/** The gate row that stands for the definitions as a whole; see migrations/000001_init.sql. */
export const definitionsGate = "";

/**
 * Locks the gate of an asset and raises its epoch, so that whoever leases a reader of it looks again. Before anything
 * that may open or close it is read, and before events are appended.
 */
export async function bumpGate(tx: pg.PoolClient, assetKey: string): Promise<void> {
  await tx.query(
    `insert into asset_gate (asset_key, epoch) values ($1, 1)
     on conflict (asset_key) do update set epoch = asset_gate.epoch + 1`,
    [assetKey],
  );
}
