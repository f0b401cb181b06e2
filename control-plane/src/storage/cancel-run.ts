import type pg from "pg";

export type CancelOutcome =
  | { readonly kind: "unknown" }
  | { readonly kind: "ended"; readonly state: string }
  /** Nobody drove it yet, so it ended at once; `steps` never began. */
  | { readonly kind: "canceled"; readonly steps: number }
  /** Its driver will hear of it. */
  | { readonly kind: "requested" }
  | { readonly kind: "alreadyRequested" };

/** Asks for a run to be canceled. A run that no daemon has taken yet is canceled here. Appends no event. */
export async function requestCancel(tx: pg.PoolClient, id: string, actor: string): Promise<CancelOutcome> {
  const { rows } = await tx.query<{ state: string; ended: boolean; driven: boolean; requested: boolean }>(
    `select state, ended_at is not null as ended, driver is not null as driven,
       cancel_requested_at is not null as requested from runs where id = $1 for no key update`,
    [id],
  );
  const run = rows[0];
  if (run === undefined) return { kind: "unknown" };
  if (run.ended) return { kind: "ended", state: run.state };
  if (run.requested) return { kind: "alreadyRequested" };
  await tx.query("update runs set cancel_requested_at = clock_timestamp(), cancel_requested_by = $2 where id = $1", [
    id,
    actor,
  ]);
  if (run.state !== "queued" || run.driven) return { kind: "requested" };
  const steps = await tx.query(
    "update steps set state = 'canceled', ended_at = clock_timestamp() where run_id = $1 and ended_at is null",
    [id],
  );
  await tx.query("update runs set state = 'canceled', ended_at = clock_timestamp() where id = $1", [id]);
  return { kind: "canceled", steps: steps.rowCount ?? 0 };
}
