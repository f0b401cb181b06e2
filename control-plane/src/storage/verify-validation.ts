import { type HistoryRule, deletedVersions } from "./history-rule.ts";

const rule = (id: string, says: string, violations: string): HistoryRule => ({
  id: `validation.${id}`,
  invariant: "Validation",
  says,
  violations,
});

/*
 * Sets are computed once and joined by hashes: without `materialized` the planner, which knows nothing of what is inside
 * a payload, may compute them again for every row.
 */

/** What each attempt read, by the key that it has now, with the event that leased it. */
const reads = `
  leases as materialized (select payload ->> 'attempt' as attempt, min(seq) as seq from events where kind = 'step_leased' group by 1),
  reads as materialized (
    select a.id as attempt, a.asset_key as reader, l.seq as leased, a.leased_at, i ->> 'asset' as named, coalesce(n.key, i ->> 'asset') as upstream,
      v ->> 'partition' as partition, (v ->> 'id')::uuid as version, v -> 'waivers' as shown
    from attempts a join leases l on l.attempt = a.id::text cross join jsonb_array_elements(a.inputs) i
      cross join jsonb_array_elements(i -> 'versions') v
      left join asset_renames n on n.old_key = i ->> 'asset' and n.done_at is not null
    where a.kind = 'materialize')`;

/**
 * Checks as they are defined now, those that owners require of whoever they belong to, and since which event each is so.
 * A check that two locations define is not judged. A list of changes that was cut off may name any definition.
 */
const definitions = `
  changes as materialized (select location, seq, payload from events where kind = 'definitions_changed'),
  named as materialized (select location, key, max(seq) as seq
    from changes, jsonb_array_elements_text(payload -> 'added' || (payload -> 'changed') || (payload -> 'removed')) key group by 1, 2),
  cut_off as materialized (select location, max(seq) as seq from changes
    where (payload ->> 'addedCount')::integer > jsonb_array_length(payload -> 'added')
      or (payload ->> 'changedCount')::integer > jsonb_array_length(payload -> 'changed')
      or (payload ->> 'removedCount')::integer > jsonb_array_length(payload -> 'removed') group by 1),
  defined as materialized (
    select l.team, d.location, d.kind, d.key, d.first_seen_at, b.body,
      greatest(coalesce(n.seq, 0), coalesce(c.seq, 0)) as since, count(*) over (partition by l.team, d.kind, d.key) as definitions
    from location_definitions d join locations l on l.name = d.location join definitions b on b.hash = d.hash
    left join named n on n.location = d.location and n.key = d.key left join cut_off c on c.location = d.location
    where d.retired_at is null),
  checks as materialized (
    select team, body ->> 'asset' as asset, body ->> 'name' as name, (body ->> 'blocking')::boolean as blocking,
      (body ->> 'version')::integer as version, (body ->> 'newVersionsOnly')::boolean as new_only, first_seen_at, since
    from defined where kind = 'check' and definitions = 1),
  listed as materialized (
    select key as asset, r ->> 'team' as team, r ->> 'name' as name, since
    from defined, jsonb_array_elements(body -> 'requiredChecks') r where kind = 'asset')`;

/** Clocks of a daemon and of the database may differ by so much: only then is a waiver's end judged. */
const skew = "interval '5 seconds'";

/**
 * "A downstream asset cannot execute unless, for exactly the versions it reads, every upstream blocking check has passed
 * or was waived by the check's owner."
 *
 * Proved: for every attempt and every version that it read, each check that gates that edge by definitions that have not
 * changed since the lease. A lease stands on the newest definitions (the gate epoch of '' refuses another), so what has
 * not changed since is what was judged by. Order is that of the events; only a waiver's end by time is judged by clocks.
 *
 * Not proved: checks that were changed, removed or retired after the lease, since the log names them and does not keep
 * what they were; and that the newest version was the one to read.
 */
export const validationRules: readonly HistoryRule[] = [
  rule(
    "read_open",
    "Whatever an attempt read had passed every blocking check of its edge when it was leased, or was waived and shown so.",
    `with ${reads}, ${definitions},
       waived as materialized (select w.*, c.seq as created, r.seq as revoked from waivers w
         left join events c on c.kind = 'waiver_created' and c.payload ->> 'waiver' = w.id::text
         left join events r on r.kind = 'waiver_revoked' and r.payload ->> 'waiver' = w.id::text)
     select r.leased as position, 'attempt ' || r.attempt || ' of ' || r.reader || ' read version ' || r.version || ' of ' ||
         concat_ws(' ', r.upstream, nullif(r.partition, '')) || ', for which ' || c.team || ':' || c.name || ' was ' ||
         coalesce(x.outcome, 'not run') as found,
       jsonb_build_object('attempt', r.attempt, 'version', r.version, 'asset', r.upstream, 'reader', r.reader,
         'team', c.team, 'check', c.name, 'outcome', x.outcome) as ids
     from reads r
     join versions v on v.id = r.version
     join checks c on c.asset = r.upstream and c.since < r.leased
     left join lateral (select outcome from check_results o where o.version_id = r.version and o.team = c.team
       and o.name = c.name and o.check_version = c.version and o.seq < r.leased order by o.seq desc limit 1) x on true
     where ((c.blocking and c.team in (split_part(r.upstream, '/', 1), split_part(r.reader, '/', 1)))
         or exists (select from listed k where k.asset = r.upstream and k.team = c.team and k.name = c.name and k.since < r.leased))
       and not (c.new_only and v.created_at < c.first_seen_at + ${skew})
       and coalesce(x.outcome, '') not in ('passed', 'warned')
       and not exists (select from waived w where w.version_id = r.version and w.team = c.team and w.name = c.name
         and r.shown ? w.id::text and w.created < r.leased and coalesce(w.revoked > r.leased, true)
         and w.until > r.leased_at - ${skew})`,
  ),
  rule(
    "read_exists",
    "Whatever an attempt read was recorded before it was leased, is of the asset and partition named, and was neither discarded nor deleted by then.",
    // What went with its asset after the lease is told by the log; its former names, by the event that deleted it.
    `with ${reads}, ${deletedVersions},
       discards as materialized (select kind, seq, payload ->> 'version' as version from events
         where kind in ('version_discarded', 'version_restored'))
     select r.leased as position, 'attempt ' || r.attempt || ' of ' || r.reader || ' read version ' || r.version || ' of ' ||
         concat_ws(' ', r.upstream, nullif(r.partition, '')) || ', which ' ||
         case when not v.existed then 'does not exist' when v.seq >= r.leased then 'was recorded later' when d.kind = 'version_discarded' then 'was discarded'
           else 'is of ' || concat_ws(' ', v.asset_key, nullif(v.partition_key, '')) end as found,
       jsonb_build_object('attempt', r.attempt, 'version', r.version, 'asset', r.upstream) as ids
     from reads r left join versions b on b.id = r.version left join deleted x on x.version = r.version::text
     cross join lateral (select case when x.version is null then b.id is not null else x.deleted > r.leased end as existed,
       coalesce(x.recorded, b.seq) as seq, coalesce(x.asset_key, b.asset_key) as asset_key,
       coalesce(x.partition_key, b.partition_key) as partition_key) v
     left join lateral (select e.kind from discards e where e.version = r.version::text and e.seq < r.leased
       order by e.seq desc limit 1) d on true
     where not v.existed or v.seq >= r.leased or v.partition_key is distinct from r.partition
       or (v.asset_key is distinct from r.upstream
         and not exists (select from events t where t.seq = x.deleted and t.payload -> 'formerly' ? r.named))
       or d.kind = 'version_discarded'`,
  ),
  rule(
    "inputs_kept",
    "A version tells the inputs that its attempt was leased with, and every waiver under which they were read.",
    `select v.seq as position, 'version ' || v.id || ' of ' || v.asset_key || ' tells other inputs or waivers than attempt ' || a.id as found,
       jsonb_build_object('version', v.id, 'attempt', a.id) as ids
     from versions v join attempts a on a.id = v.attempt_id
     where v.inputs <> a.inputs or exists (select from jsonb_array_elements(a.inputs) i,
       jsonb_array_elements(i -> 'versions') r, jsonb_array_elements_text(r -> 'waivers') w where w::uuid <> all (v.waivers))`,
  ),
];
