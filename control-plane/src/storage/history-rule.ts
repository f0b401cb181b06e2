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

/** When assets were deleted, by key: what was recorded of them before is removed, the log is not. */
export const tombstones = `
  tombstones as materialized (select asset_key, seq from events where kind = 'asset_deleted'),
  buried as materialized (select asset_key, max(seq) as seq from tombstones group by 1)`;

/**
 * Versions that went with their asset, or are about to: what the log says of them, and since which event they are
 * deleted. Includes `tombstones`.
 */
export const deletedVersions = `${tombstones},
  deleted as materialized (
    select x.version, x.asset_key, x.partition_key, x.recorded, x.run_id, x.step_index, x.attempt,
      (select min(t.seq) from tombstones t where t.asset_key = x.asset_key and t.seq > x.recorded) as deleted
    from (select distinct on (e.payload ->> 'version') e.payload ->> 'version' as version, e.asset_key, e.partition_key,
        e.seq as recorded, e.run_id, e.step_index, a.id as attempt
      from events e join buried t on t.asset_key = e.asset_key and t.seq > e.seq
      left join attempts a on a.id::text = e.payload ->> 'attempt' and a.version_id::text = e.payload ->> 'version'
        and a.kind = 'materialize'
      where e.payload ? 'version' and (e.kind = 'version_reported' or a.id is not null)
      order by e.payload ->> 'version', e.seq) x)`;
