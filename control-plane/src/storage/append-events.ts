import type pg from "pg";

/** One event as `append_events` takes it. */
export interface NewEvent {
  readonly kind: string;
  readonly runId?: string;
  readonly stepIndex?: number;
  readonly assetKey?: string;
  readonly partitionKey?: string;
  readonly location?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
}

/** Appends events in order. Last in a transaction: from here to the commit it has the log to itself. */
export async function appendEvents(tx: pg.PoolClient, events: readonly NewEvent[]): Promise<void> {
  if (events.length > 0) await tx.query("select append_events($1)", [JSON.stringify(events)]);
}
