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
  if (events.length > 0) await appendNumbered(tx, events);
}

/** As `appendEvents`, for rows that bear the number of their event. Returns the sequence number of the first. */
export async function appendNumbered(tx: pg.PoolClient, events: readonly NewEvent[]): Promise<number> {
  const { rows } = await tx.query<{ base: number }>("select append_events($1) as base", [JSON.stringify(events)]);
  return (rows[0]?.base ?? 0) + 1;
}
