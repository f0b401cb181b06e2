import {
  type HistoryRule,
  attemptInFlight,
  attemptSpans,
  deletedVersions,
  stepEnded,
  tombstones,
} from "./history-rule.ts";

const rule = (id: string, says: string, violations: string): HistoryRule => ({
  id: `history.${id}`,
  invariant: "History",
  says,
  violations,
});

/** What holds of runs, steps, attempts and events: nothing settled twice, nothing lost, nothing without its event. */
export const historyRules: readonly HistoryRule[] = [
  rule(
    "events_gap_free",
    "The sequence numbers of events have no hole.",
    `select previous as position, 'event ' || (previous + 1) || ' is missing: ' || previous || ' is followed by ' || seq as found,
       jsonb_build_object('after', previous, 'before', seq) as ids
     from (select seq, lag(seq) over (order by seq) as previous from events) e where seq <> previous + 1`,
  ),
  rule(
    "attempt_leased_once",
    "Every attempt has one lease event, in its own step.",
    `select leased as position, 'attempt ' || id || ' of ' || asset_key || ' has ' || coalesce(leases, 0) || ' lease events' as found,
       jsonb_build_object('attempt', id, 'run', run_id, 'asset', asset_key) as ids
     from (${attemptSpans}) a where leases is distinct from 1
       or not exists (select from events e where e.seq = a.leased and e.run_id = a.run_id and e.step_index = a.step_index)`,
  ),
  rule(
    "lease_has_attempt",
    "Every lease event has its attempt.",
    `select e.seq as position, 'event ' || e.seq || ' leases attempt ' || coalesce(e.payload ->> 'attempt', '?') || ', which does not exist' as found,
       jsonb_build_object('seq', e.seq, 'attempt', e.payload ->> 'attempt', 'run', e.run_id) as ids
     from events e where e.kind = 'step_leased'
       and not exists (select from attempts a where a.id::text = e.payload ->> 'attempt')`,
  ),
  rule(
    "settled_once",
    "No attempt is settled twice, and none is settled without having ended.",
    `select settled as position, 'attempt ' || id || ' of ' || asset_key || ' is ' || state || ' and was settled ' || settlements || ' times' as found,
       jsonb_build_object('attempt', id, 'run', run_id, 'asset', asset_key, 'state', state, 'settlements', settlements) as ids
     from (${attemptSpans}) a where settlements <> case when state in ${attemptInFlight} then 0 else 1 end
       or settled < leased`,
  ),
  rule(
    "one_in_flight",
    "At most one attempt is in flight for an asset partition, and one for the checks of a version at a location.",
    `select leased as position, 'attempt ' || id || ' of ' || place || ' was leased while ' || earlier || ' was in flight' as found,
       jsonb_build_object('attempt', id, 'earlier', earlier, 'place', place) as ids
     from (
       select id, leased, place, lag(id) over w as earlier, lag(settled) over w as ended, row_number() over w as n
       from (select *, case kind when 'materialize' then concat_ws(' ', asset_key, nullif(partition_key, ''))
           else 'checks of ' || version_id || ' at ' || location end as place from (${attemptSpans}) s) p
       window w as (partition by place order by leased)) a
     where n > 1 and (ended is null or ended > leased)`,
  ),
  rule(
    "attempts_counted",
    "A step has as many attempts as it counts, numbered from 1, and the times of an end where it has ended.",
    `select null::bigint as position, 'step ' || s.index || ' of run ' || s.run_id || ' (' || s.asset_key || ') counts ' || s.attempts || ' attempts and has ' || count(a.id) as found,
       jsonb_build_object('run', s.run_id, 'step', s.index, 'asset', s.asset_key) as ids
     from steps s left join attempts a on a.run_id = s.run_id and a.step_index = s.index
     group by s.run_id, s.index
     having count(a.id) <> s.attempts or coalesce(max(a.number), 0) <> s.attempts
       or (s.ended_at is not null) <> (s.state in ${stepEnded})`,
  ),
  rule(
    "attempt_end_timed",
    "An attempt has a time of its end exactly when it has ended.",
    `select null::bigint as position, 'attempt ' || id || ' is ' || state || case when ended_at is null then ' without' else ' with' end || ' a time of its end' as found,
       jsonb_build_object('attempt', id, 'run', run_id) as ids
     from attempts where (ended_at is not null) = (state in ${attemptInFlight})`,
  ),
  rule(
    "run_ends_with_steps",
    "A run that has ended has only steps that have ended, no attempt in flight, and no driver.",
    `select null::bigint as position, 'run ' || r.id || ' is ' || r.state || ', and its step ' || s.index || ' (' || s.asset_key || ') is ' || s.state as found,
       jsonb_build_object('run', r.id, 'step', s.index) as ids
     from runs r join steps s on s.run_id = r.id
     where r.ended_at is not null and (s.state not in ${stepEnded} or r.driver is not null
       or exists (select from attempts a where a.run_id = s.run_id and a.step_index = s.index and a.state in ${attemptInFlight}))`,
  ),
  rule(
    "run_end_event",
    "A run that has ended says so once in the log, and no other run does.",
    `select min(e.seq) as position, 'run ' || r.id || ' is ' || r.state || ', and the log ends it ' || count(e.seq) || ' times' as found,
       jsonb_build_object('run', r.id, 'state', r.state) as ids
     from runs r left join events e on e.run_id = r.id and e.kind in ('run_succeeded', 'run_failed', 'run_blocked', 'run_canceled')
     group by r.id having count(e.seq) <> (r.ended_at is not null)::integer
       or count(e.seq) filter (where e.kind <> 'run_' || r.state) > 0
       or (r.ended_at is not null) <> (r.state in ('succeeded', 'failed', 'blocked', 'canceled'))`,
  ),
  rule(
    "run_outcome",
    "A run ends failed if a step failed, else canceled if one was canceled, else blocked if one was blocked or a gate was shut.",
    `select null::bigint as position, 'run ' || id || ' ended ' || state || ' with steps ' || coalesce(phases, 'none') as found,
       jsonb_build_object('run', id, 'state', state) as ids
     from (
       select r.id, r.state, string_agg(distinct s.state, ', ') as phases, bool_or(s.state = 'failed') as failed,
         bool_or(s.state = 'canceled') as canceled, bool_or(s.state = 'blocked') as blocked,
         exists (select from events e where e.run_id = r.id and e.kind = 'gate_closed') as shut
       from runs r left join steps s on s.run_id = r.id where r.ended_at is not null group by r.id) x
     where state is distinct from case when failed then 'failed' when canceled then 'canceled' when blocked or shut then 'blocked'
       else 'succeeded' end and not (phases is null and state = 'canceled')`,
  ),
  rule(
    "backfill_runs",
    "A run was created by a backfill exactly where a backfill has it; of one that ended as it was asked to, every run has ended.",
    `select null::bigint as position, 'run ' || r.id || ' is of source ' || r.source || ' and of backfill ' || coalesce(b.backfill_id::text, 'none') as found,
       jsonb_build_object('run', r.id, 'backfill', b.backfill_id) as ids
     from runs r left join backfill_runs b on b.run_id = r.id left join backfills f on f.id = b.backfill_id
     where (r.source = 'backfill') <> (b.run_id is not null)
       or (f.ended_at is not null and f.error is null and (r.ended_at is null or not b.is_counted))`,
  ),
  rule(
    "step_version",
    "A step that made or checked a version names one that exists, or went with its asset; what it made, one of its own attempts made.",
    `with ${deletedVersions}
     select null::bigint as position, 'step ' || s.index || ' of run ' || s.run_id || ' (' || s.asset_key || ') names version ' || coalesce(s.version_id::text, 'none') as found,
       jsonb_build_object('run', s.run_id, 'step', s.index, 'version', s.version_id) as ids
     from steps s left join versions v on v.id = s.version_id left join deleted d on d.version = s.version_id::text
       left join attempts a on a.id = coalesce(v.attempt_id, d.attempt)
     where (s.kind = 'materialize' and s.state = 'succeeded' and s.version_id is null)
       or (s.version_id is not null and v.id is null and d.version is null)
       or (s.kind = 'materialize' and s.version_id is not null and (a.run_id, a.step_index) is distinct from (s.run_id, s.index))`,
  ),
  rule(
    "computed_together",
    "What one call computes is of one run, one partition of each step, one instance and one epoch, and each step is in it once.",
    `select null::bigint as position, 'computation ' || computation || ' has ' || count(*) || ' attempts of ' || count(distinct (run_id, location, instance_id, epoch)) || ' kinds' as found,
       jsonb_build_object('computation', computation) as ids
     from attempts where computation is not null group by computation
     having count(distinct (run_id, location, instance_id, epoch)) > 1 or count(distinct step_index) < count(*)
       or count(*) < 2 or not bool_or(id = computation)`,
  ),
  rule(
    "recorded_together",
    "What is computed as a whole has a version of every step or of none, those that went with their asset included.",
    `with ${deletedVersions}
     select null::bigint as position, 'computation ' || a.computation || ' has ' || count(coalesce(v.id::text, d.version)) || ' versions of ' || count(*) as found,
       jsonb_build_object('computation', a.computation) as ids
     from attempts a left join versions v on v.attempt_id = a.id left join deleted d on d.attempt = a.id
     where a.is_whole group by a.computation
     having count(coalesce(v.id::text, d.version)) not in (0, count(*))`,
  ),
  rule(
    "version_event",
    "A version bears the sequence number of the event that records it, of its own asset and attempt.",
    `select v.seq as position, 'version ' || v.id || ' of ' || v.asset_key || ' says event ' || v.seq || ', which ' ||
         case when e.seq is null then 'does not exist' else 'is ' || e.kind || ' of ' || coalesce(e.asset_key, 'no asset') end as found,
       jsonb_build_object('version', v.id, 'seq', v.seq) as ids
     from versions v left join events e on e.seq = v.seq left join attempts a on a.id = v.attempt_id
     where e.seq is null or e.payload ->> 'version' is distinct from v.id::text or e.asset_key is distinct from v.asset_key
       or e.partition_key is distinct from v.partition_key or e.payload ->> 'attempt' is distinct from v.attempt_id::text
       or case when v.attempt_id is null then e.kind <> 'version_reported' or v.run_id is not null
         else a.version_id is distinct from v.id or a.kind <> 'materialize' or a.run_id is distinct from v.run_id end`,
  ),
  rule(
    "result_event",
    "A check result bears the sequence number of an event of its own run, and comes from an attempt at its version; or that of its report.",
    `select c.seq as position, 'result ' || c.id || ' of ' || c.name || ' on ' || c.asset_key || ' says event ' || c.seq as found,
       jsonb_build_object('result', c.id, 'seq', c.seq, 'version', c.version_id) as ids
     from check_results c left join events e on e.seq = c.seq left join attempts a on a.id = c.attempt_id
     where e.run_id is distinct from c.run_id or e.asset_key is distinct from c.asset_key
       or case when c.attempt_id is null then e.kind is distinct from 'check_reported' or e.payload ->> 'result' is distinct from c.id::text
           or e.payload ->> 'version' is distinct from c.version_id::text
         else a.version_id is distinct from c.version_id or a.run_id is distinct from c.run_id end`,
  ),
  rule(
    "reported_external",
    "What no attempt brought was reported, of an asset that was declared external, and read nothing.",
    `with ${tombstones}
     select seq as position, what || ' of ' || asset_key || ' comes from no attempt, and the asset was never declared external' as found,
       jsonb_build_object('id', id, 'asset', asset_key) as ids
     from (
       select 'version ' || id as what, id, asset_key, seq, inputs from versions where attempt_id is null
       union all select 'result ' || id, id, asset_key, seq, '[]' from check_results where attempt_id is null) x
     where not exists (select from buried t where t.asset_key = x.asset_key and t.seq > x.seq)
       and (inputs <> '[]' or not exists (select from definitions d where d.kind = 'asset' and d.body ? 'external'
       and (d.body ->> 'key' = x.asset_key or exists (select from asset_renames n
         where n.old_key = d.body ->> 'key' and n.key = x.asset_key and n.done_at is not null))))`,
  ),
  rule(
    "tick_launched",
    "A tick has as many runs as it says, and one that launched has some.",
    `select null::bigint as position, 'tick ' || t.id || ' of ' || t.automation || ' says ' || t.run_count || ' runs and has ' || count(r.id) as found,
       jsonb_build_object('tick', t.id, 'automation', t.automation) as ids
     from ticks t join automations a on a.name = t.automation left join runs r on r.tick_id = t.id
     group by t.id, t.automation, t.run_count, t.state, a.kind
     having count(r.id) <> t.run_count or (a.kind = 'schedule' and (t.state = 'launched') <> (t.run_count > 0))`,
  ),
  rule(
    "deleted_is_gone",
    "Once the history of a deleted asset is removed, nothing of it is left; what was made since is not part of it.",
    `with ${tombstones}
     select v.seq as position, 'version ' || v.id || ' of ' || v.asset_key || ' was recorded before the asset was deleted' as found,
       jsonb_build_object('version', v.id, 'asset', v.asset_key) as ids
     from versions v join buried t on t.asset_key = v.asset_key and t.seq > v.seq
     where not exists (select from asset_deletions d where d.asset_key = v.asset_key and d.done_at is null)`,
  ),
  rule(
    "audited",
    "Every run, backfill, waiver, report, discarded version, deleted asset and change of owner has an audit row that says who made it so.",
    `select null::bigint as position, what || ' has no audit row' as found, ids from (
       select 'run ' || id as what, jsonb_build_object('run', id) as ids from runs r
         where not exists (select from audit a where a.action = 'run.create' and a.subject = r.id::text)
       union all select 'backfill ' || id, jsonb_build_object('backfill', id) from backfills b
         where not exists (select from audit a where a.action = 'backfill.create' and a.subject = b.id::text)
       union all select 'the request to cancel run ' || id, jsonb_build_object('run', id) from runs r
         where cancel_requested_at is not null
           and not exists (select from audit a where a.action = 'run.cancel' and a.subject = r.id::text)
       union all select 'waiver ' || id, jsonb_build_object('waiver', id) from waivers w
         where not exists (select from audit a where a.action = 'waiver.create' and a.details ->> 'waiver' = w.id::text)
       union all select 'the end of waiver ' || id, jsonb_build_object('waiver', id) from waivers w
         where case when ended_by = 'time' then ended_at < until
           else ended_at is not null and not exists (select from audit a where a.action = 'waiver.revoke'
             and a.details ->> 'waiver' = w.id::text) end
       union all select 'the report of version ' || id, jsonb_build_object('version', id) from versions v
         where attempt_id is null and not exists (select from audit a where a.action = 'version.report'
           and a.details ->> 'version' = v.id::text)
       union all select 'the report of result ' || id, jsonb_build_object('result', id) from check_results c
         where attempt_id is null and not exists (select from audit a where a.action = 'check.report'
           and a.details ->> 'result' = c.id::text)
       union all select 'the discarding of version ' || id, jsonb_build_object('version', id) from versions v
         where discarded_at is not null and not exists (select from audit a where a.action = 'version.discard'
           and a.details ->> 'version' = v.id::text)
       union all select 'the deletion of ' || (e.payload ->> 'asset'), jsonb_build_object('asset', e.payload ->> 'asset', 'seq', e.seq) from events e
         where e.kind = 'asset_deleted' and not exists (select from audit a where a.action = 'asset.delete'
           and a.subject = e.payload ->> 'asset' and a.actor = e.payload ->> 'actor')
       union all select 'the change of owner of ' || e.asset_key, jsonb_build_object('asset', e.asset_key, 'seq', e.seq) from events e
         where e.kind in ('owner_transferred', 'owner_released') and not exists (select from audit a
           where a.action in ('owner.transfer', 'owner.release') and a.subject = e.payload ->> 'asset' and a.actor = e.payload ->> 'actor'
             and (a.details -> 'from', a.details -> 'to') = (e.payload -> 'from', e.payload -> 'to'))) x`,
  ),
];
