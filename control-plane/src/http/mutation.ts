import type pg from "pg";
import { type NewEvent, appendEvents } from "../storage/append-events.ts";
import { type AuditEntry, writeAudit } from "../storage/audit.ts";
import { withTransaction } from "../storage/database.ts";
import { claimIdempotencyKey, storeIdempotentAnswer } from "../storage/idempotency.ts";
import { notify } from "../storage/notifications.ts";
import type { ApiContext } from "./api-context.ts";
import { Problem } from "./problem.ts";
import type { IdempotencyKey } from "./request.ts";
import type { Actor } from "./tokens.ts";

/** What a mutation did, short of what must come last in its transaction. */
export interface Change<A> {
  readonly answer: A;
  /** Absent: `events` is not all that is left, and the storage function behind it has written the row. */
  readonly audit?: Omit<AuditEntry, "actor">;
  readonly events?: readonly NewEvent[];
  /** Appends events itself, after all else. */
  readonly finish?: (tx: pg.PoolClient) => Promise<void>;
  /** Channels to tell after the commit, beside "headgate_events". */
  readonly channels?: readonly string[];
}

/**
 * Runs one mutation: idempotency key, change, audit row and events in one transaction, then notifications. With the
 * same key and request it answers what it answered before. A refusal (`Problem`) rolls all of it back, the key too.
 */
export async function mutate<A>(
  context: ApiContext,
  request: { readonly actor: Actor; readonly idempotency: IdempotencyKey | undefined },
  status: number,
  change: (tx: pg.PoolClient) => Promise<Change<A>>,
): Promise<A> {
  const { actor, idempotency } = request;
  let channels: readonly string[] = [];
  const answer = await withTransaction(context.pool, async (tx) => {
    if (idempotency !== undefined) {
      const claim = await claimIdempotencyKey(tx, actor.name, idempotency.key, idempotency.requestHash);
      switch (claim.kind) {
        case "answered":
          return claim.response as A;
        case "reused":
          throw new Problem(
            "idempotency.key_reused",
            `The idempotency key ${idempotency.key} was used for another request.`,
            "Use a new key for each request, and the same one only to send the same request again.",
          );
        case "new":
          break;
      }
    }
    const done = await change(tx);
    if (idempotency !== undefined) {
      await storeIdempotentAnswer(tx, actor.name, idempotency.key, status, done.answer);
    }
    if (done.audit !== undefined) await writeAudit(tx, { actor: actor.name, ...done.audit });
    if (done.finish !== undefined) await done.finish(tx);
    await appendEvents(tx, done.events ?? []);
    channels = [
      ...((done.events ?? []).length > 0 || done.finish !== undefined ? ["headgate_events"] : []),
      ...(done.channels ?? []),
    ];
    return done.answer;
  });
  // A hint, with a poll behind it: the change is made whether or not anybody hears of it at once.
  await Promise.all(channels.map((channel) => notify(context.pool, channel).catch(() => undefined)));
  return answer;
}
