/** That a key's history was deleted, and its definition with it. */
export interface AssetDeletion {
  readonly actor: string;
  readonly requestedAtMs: number;
  /** `underWay`: rows of the history are still being removed, and nobody can define the key. */
  readonly state: "underWay" | "done";
}

/** By asset key. A key that was defined anew afterwards is not among them. */
export type AssetDeletions = ReadonlyMap<string, AssetDeletion>;

/** As people are told of it: "ada at 2026-11-25T04:00:00.000Z". */
export function deletedBy({ actor, requestedAtMs }: AssetDeletion): string {
  return `${actor} at ${new Date(requestedAtMs).toISOString()}`;
}
