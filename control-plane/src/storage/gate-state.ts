import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { GateView, VersionView } from "../domain/gate.ts";

/** What the gate knows of one asset, and the gate epoch that it was read under. */
export interface AssetGateState {
  readonly epoch: number;
  /** Partition key to its versions, newest first. */
  readonly partitions: Map<string, VersionView[]>;
}

/** How many versions of a partition are looked through for one that is open. */
const depth = 20;

/**
 * Reads versions, results and waivers of these assets, each with the epoch of the same snapshot. Primary only.
 *
 * @param versionsMax of each partition, the newest
 */
export async function readGateState(
  db: Pick<pg.Pool | pg.PoolClient, "query">,
  assets: readonly AssetKey[],
  versionsMax = depth,
): Promise<Map<AssetKey, AssetGateState>> {
  const found = new Map<AssetKey, AssetGateState>();
  if (assets.length === 0) return found;
  const { rows } = await db.query<{ asset_key: AssetKey; epoch: number; versions: VersionView[] }>(
    "select asset_key, epoch, versions from gate_state($1, $2)",
    [assets, versionsMax],
  );
  for (const row of rows) {
    const partitions = new Map<string, VersionView[]>();
    for (const version of row.versions) {
      const list = partitions.get(version.partition);
      if (list === undefined) partitions.set(version.partition, [version]);
      else list.push(version);
    }
    found.set(row.asset_key, { epoch: row.epoch, partitions });
  }
  return found;
}

/** The gate epochs of these assets. */
export async function readEpochs(
  db: Pick<pg.Pool | pg.PoolClient, "query">,
  assets: readonly AssetKey[],
): Promise<Map<AssetKey, number>> {
  const { rows } = await db.query<{ asset_key: AssetKey; epoch: number }>(
    "select asset_key, epoch from asset_gate where asset_key = any ($1)",
    [assets],
  );
  return new Map(rows.map((row) => [row.asset_key, row.epoch]));
}

/** A view for planning and explaining: of these assets, as they are now. Assets that were not asked for have no version. */
export async function loadGateView(
  db: Pick<pg.Pool | pg.PoolClient, "query">,
  assets: readonly AssetKey[],
): Promise<GateView> {
  const state = await readGateState(db, assets);
  return { versions: (asset, partition) => state.get(asset)?.partitions.get(partition) ?? [] };
}
