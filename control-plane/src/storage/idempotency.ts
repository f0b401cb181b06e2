import type pg from "pg";

export type IdempotencyClaim =
  | { readonly kind: "new" }
  /** The same request was answered before. */
  | { readonly kind: "answered"; readonly status: number; readonly response: unknown }
  /** The key was used for another request. */
  | { readonly kind: "reused" };

/**
 * Takes an actor's key for a request, in the transaction that will answer it. A second request with the key waits here
 * until the first has committed, and is then told its answer.
 */
export async function claimIdempotencyKey(
  tx: pg.PoolClient,
  actor: string,
  key: string,
  requestHash: string,
): Promise<IdempotencyClaim> {
  const claimed = await tx.query(
    `insert into idempotency_keys (actor, key, request_hash, status, response) values ($1, $2, $3, 0, 'null')
     on conflict do nothing`,
    [actor, key, requestHash],
  );
  if (claimed.rowCount === 1) return { kind: "new" };
  const { rows } = await tx.query<{ request_hash: string; status: number; response: string }>(
    "select request_hash, status, response from idempotency_keys where actor = $1 and key = $2",
    [actor, key],
  );
  const stored = rows[0];
  if (stored === undefined || stored.request_hash !== requestHash) return { kind: "reused" };
  return { kind: "answered", status: stored.status, response: JSON.parse(stored.response) };
}

/** Keeps the answer that the key stands for from now on. */
export async function storeIdempotentAnswer(
  tx: pg.PoolClient,
  actor: string,
  key: string,
  status: number,
  response: unknown,
): Promise<void> {
  await tx.query("update idempotency_keys set status = $3, response = $4 where actor = $1 and key = $2", [
    actor,
    key,
    status,
    // As text inside the jsonb, which would put the fields in another order: the same answer is the same bytes.
    JSON.stringify(JSON.stringify(response)),
  ]);
}
