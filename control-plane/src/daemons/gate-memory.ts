import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { GateView, ResultView, VersionView } from "../domain/gate.ts";
import { type AssetGateState, readEpochs, readGateState } from "../storage/gate-state.ts";

/**
 * What a driver remembers of versions, results and waivers. Every entry knows the gate epoch that it was read under; a
 * lease that stands on an older one is refused by the database, and the entry is read again. So it may be old, and is
 * never wrong for long or to any effect.
 */
export class GateMemory implements GateView {
  readonly #entries = new Map<AssetKey, AssetGateState & { epoch: number }>();
  readonly #loading = new Map<AssetKey, Promise<void>>();
  readonly #db: Pick<pg.Pool, "query">;

  constructor(db: Pick<pg.Pool, "query">) {
    this.#db = db;
  }

  versions(asset: AssetKey, partition: string): readonly VersionView[] | undefined {
    const entry = this.#entries.get(asset);
    return entry === undefined ? undefined : (entry.partitions.get(partition) ?? []);
  }

  /** The epoch that the entry stands on; undefined: not loaded. */
  epoch(asset: AssetKey): number | undefined {
    return this.#entries.get(asset)?.epoch;
  }

  /** Stands for what is remembered of the asset until it is forgotten: another one after it was read again. */
  entryOf(asset: AssetKey): object | undefined {
    return this.#entries.get(asset);
  }

  /** Forgets those of these assets whose gate has moved since they were read, then loads what is missing. */
  async revalidate(assets: readonly AssetKey[]): Promise<void> {
    const epochs = await readEpochs(this.#db, assets);
    for (const asset of assets) if (this.epoch(asset) !== (epochs.get(asset) ?? 0)) this.forget(asset);
    await this.load(assets);
  }

  /** Loads what is not loaded; several callers share one query. */
  async load(assets: readonly AssetKey[]): Promise<void> {
    const missing = assets.filter((asset) => !this.#entries.has(asset) && !this.#loading.has(asset));
    if (missing.length > 0) {
      const reading = readGateState(this.#db, missing).then((found) => {
        for (const asset of missing) {
          if (this.#loading.get(asset) !== reading) continue; // Forgotten meanwhile: what was read may be too old.
          const state = found.get(asset) ?? { epoch: 0, partitions: new Map<string, VersionView[]>() };
          this.#entries.set(asset, { epoch: state.epoch, partitions: state.partitions });
        }
      });
      const settled = reading.finally(() => {
        for (const asset of missing) if (this.#loading.get(asset) === reading) this.#loading.delete(asset);
      });
      for (const asset of missing) this.#loading.set(asset, reading);
      await settled;
    }
    await Promise.all(assets.flatMap((asset) => this.#loading.get(asset) ?? []));
  }

  forget(asset: AssetKey): void {
    this.#entries.delete(asset);
    this.#loading.delete(asset);
  }

  clear(): void {
    this.#entries.clear();
    this.#loading.clear();
  }

  /** Remembers a version that this driver is about to commit; its sequence number is set when the commit is known. */
  addVersion(asset: AssetKey, version: VersionView): void {
    const entry = this.#entries.get(asset);
    if (entry === undefined) return;
    const known = entry.partitions.get(version.partition) ?? [];
    entry.partitions.set(version.partition, [version, ...known.filter((v) => v.id !== version.id)]);
  }

  /** Remembers results of a version; of one check the last one counts. Returns the version as it now is. */
  addResults(
    asset: AssetKey,
    partition: string,
    versionId: string,
    results: readonly ResultView[],
  ): VersionView | undefined {
    const known = this.#entries.get(asset)?.partitions.get(partition);
    const index = known?.findIndex((v) => v.id === versionId) ?? -1;
    const version = known?.[index];
    if (known === undefined || version === undefined) return undefined;
    const others = version.results.filter(
      (r) => !results.some((n) => n.team === r.team && n.name === r.name && n.checkVersion === r.checkVersion),
    );
    const changed = { ...version, results: [...others, ...results] };
    known[index] = changed;
    return changed;
  }

  /** After a commit: the sequence number that a remembered version got. */
  setSeq(asset: AssetKey, partition: string, versionId: string, seq: number): void {
    const known = this.#entries.get(asset)?.partitions.get(partition);
    const index = known?.findIndex((v) => v.id === versionId) ?? -1;
    const version = known?.[index];
    if (known !== undefined && version !== undefined) known[index] = { ...version, seq };
  }

  /** After a commit: the epoch that this driver's own flush has brought the gate to. */
  setEpoch(asset: AssetKey, epoch: number): void {
    const entry = this.#entries.get(asset);
    if (entry !== undefined) entry.epoch = epoch;
  }
}
