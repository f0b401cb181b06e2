import { type HistoryRule, tombstones } from "./history-rule.ts";

const rule = (id: string, says: string, violations: string): HistoryRule => ({
  id: `isolation.${id}`,
  invariant: "Isolation",
  says,
  violations,
});

/**
 * What the history can tell of "a failure in one team's code location cannot prevent another team's assets from
 * executing": that no step fell for a reason other than its own or one upstream of it, and that nobody spoke for
 * another. That something waited longer than it had to leaves no trace here: tests with real processes show it.
 */
export const isolationRules: readonly HistoryRule[] = [
  rule(
    "own_location",
    "An attempt runs in the location of its step, and a process speaks for one location alone.",
    `select null::bigint as position, 'attempt ' || id || ' of ' || asset_key || ' ran in ' || location || ' on instance ' || instance_id || why as found,
       jsonb_build_object('attempt', id, 'location', location, 'instance', instance_id) as ids
     from (
       select a.id, a.asset_key, a.location, a.instance_id, ', and its step belongs to ' || s.location as why
         from attempts a join steps s on s.run_id = a.run_id and s.index = a.step_index where a.location <> s.location
       union all
       select a.id, a.asset_key, a.location, a.instance_id, ', which is of ' || other.location || ' as well'
         from attempts a join (select instance_id, min(location) as location from attempts group by 1
           having count(distinct location) > 1) other using (instance_id) where a.location <> other.location) x`,
  ),
  rule(
    "skipped_for_cause",
    "A step is skipped only if one that it comes after, in the same run, did not succeed.",
    `select null::bigint as position, 'step ' || s.index || ' of run ' || s.run_id || ' (' || s.asset_key || ') was skipped, and nothing before it fell' as found,
       jsonb_build_object('run', s.run_id, 'step', s.index, 'asset', s.asset_key) as ids
     from steps s where s.state = 'skipped' and not exists (
       select from steps b where b.run_id = s.run_id and b.index = any (s.after)
         and (b.state in ('failed', 'skipped', 'canceled', 'blocked') or (s.kind = 'checks' and b.version_id is null)))`,
  ),
  rule(
    "failed_for_cause",
    "A step fails only for an error of its own: of its last attempt, or because its definition or version was gone.",
    `select null::bigint as position, 'step ' || s.index || ' of run ' || s.run_id || ' (' || s.asset_key || ') failed, and its last attempt is ' || coalesce(a.state, 'missing') as found,
       jsonb_build_object('run', s.run_id, 'step', s.index, 'attempt', a.id) as ids
     from steps s left join attempts a on a.run_id = s.run_id and a.step_index = s.index and a.number = s.attempts
     where s.state = 'failed' and not (s.error is not null and s.error ->> 'code' in ('step.definition_gone', 'step.set_incomplete', 'check.version_unavailable'))
       and (a.id is null or a.state not in ('failed', 'timedOut', 'crashed', 'lost'))`,
  ),
  rule(
    "blocked_for_cause",
    "A step is blocked only by a stored decision that names what shut, and no attempt follows it.",
    // The decisions of a deleted asset are gone; the event of each tells the same reasons.
    `with ${tombstones}
     select null::bigint as position, 'step ' || s.index || ' of run ' || s.run_id || ' (' || s.asset_key || ') is blocked ' ||
         case when d.id is null then 'without a decision' else 'and has an attempt in the end' end as found,
       jsonb_build_object('run', s.run_id, 'step', s.index, 'asset', s.asset_key) as ids
     from steps s left join decisions d on d.run_id = s.run_id and d.step_index = s.index and jsonb_array_length(d.reasons) > 0
     where s.state = 'blocked' and (d.id is null and not exists (select from events e join buried t on t.asset_key = s.asset_key and t.seq > e.seq
         where e.kind = 'step_blocked' and e.run_id = s.run_id and e.step_index = s.index and jsonb_array_length(e.payload -> 'reasons') > 0)
       or exists (
       select from attempts a where a.run_id = s.run_id and a.step_index = s.index and a.state = 'succeeded'))`,
  ),
];
