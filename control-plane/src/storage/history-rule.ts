export type Invariant = "Validation" | "Isolation" | "Ownership" | "History";

/** Something that holds of every history, and the query that finds where it does not. */
export interface HistoryRule {
  /** Stable, for example "validation.read_open". */
  readonly id: string;
  readonly invariant: Invariant;
  /** One sentence. */
  readonly says: string;
  /**
   * A query of what breaks it: `found` (text, what was found where), `ids` (jsonb) and `position` (bigint; the lowest
   * is the first, a sequence number where there is one).
   */
  readonly violations: string;
}

/** Attempts with the sequence numbers of the events that leased and settled them; null: there is none. */
export const attemptSpans = `
  select a.id, a.run_id, a.step_index, a.kind, a.asset_key, a.partition_key, a.location, a.version_id, a.state,
    a.leased_at, l.seq as leased, l.count as leases, s.seq as settled, coalesce(s.count, 0) as settlements
  from attempts a
  left join (select payload ->> 'attempt' as attempt, min(seq) as seq, count(*) as count from events
    where kind = 'step_leased' group by 1) l on l.attempt = a.id::text
  left join (select payload ->> 'attempt' as attempt, min(seq) as seq, count(*) as count from events
    where kind in ('step_succeeded', 'step_failed', 'step_retrying', 'step_canceled') and payload ? 'attempt'
    group by 1) s on s.attempt = a.id::text`;

export const attemptInFlight = "('leased', 'started', 'unknown')";
export const stepEnded = "('succeeded', 'failed', 'blocked', 'skipped', 'canceled')";
