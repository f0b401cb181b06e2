import { type HistoryRule, tombstones } from "./history-rule.ts";

const rule = (id: string, says: string, violations: string): HistoryRule => ({
  id: `ownership.${id}`,
  invariant: "Ownership",
  says,
  violations,
});

/** "Each asset and each check has exactly one owning team": of what is defined, and of all that was recorded. */
export const ownershipRules: readonly HistoryRule[] = [
  rule(
    "asset_of_its_team",
    "An asset belongs to the team that its key begins with, in a location of that team.",
    `select null::bigint as position, o.asset_key || ' belongs to ' || o.team || coalesce(' in location ' || o.location, '') ||
         coalesce(' of ' || nullif(l.team, o.team), '') as found,
       jsonb_build_object('asset', o.asset_key, 'team', o.team, 'location', o.location) as ids
     from asset_owners o left join locations l on l.name = o.location
     where o.team <> split_part(o.asset_key, '/', 1) or (o.location is not null and l.team is distinct from o.team)`,
  ),
  rule(
    "asset_has_owner",
    "Every asset that a step, a version or a good definition names has an owner, or was deleted since.",
    `with ${tombstones}
     select null::bigint as position, asset_key || ' has ' || what || ' and no owner' as found, jsonb_build_object('asset', asset_key) as ids
     from (
       select distinct asset_key, 'steps' as what from steps where asset_key not in (select asset_key from buried)
       union select distinct e.asset_key, 'steps' from events e join buried t on t.asset_key = e.asset_key and t.seq < e.seq
         where e.kind = 'step_leased'
       union select distinct v.asset_key, 'versions' from versions v left join buried t on t.asset_key = v.asset_key and t.seq > v.seq
         where t.seq is null
       union select key, 'a definition in ' || location from location_definitions
         where kind = 'asset' and hash is not null and retired_at is null and error is null) x
     where not exists (select from asset_owners o where o.asset_key = x.asset_key or o.asset_key =
       (select key from asset_renames n where n.old_key = x.asset_key and n.done_at is not null))`,
  ),
  rule(
    "made_by_owner",
    "A version is made by the location that owned its asset when its attempt was leased, and by no other; what is reported bears its name.",
    // Who owned it then is told by the first change after: it says whom the key was taken from. Without one, the registry.
    `with ${tombstones}, changes as materialized (select asset_key, seq, payload ->> 'from' as location from events
         where kind in ('owner_transferred', 'owner_released', 'asset_renamed') and payload ? 'from'),
       made as (
         select v.id, v.asset_key, v.partition_key, v.seq, v.location, a.location as computed, a.asset_key as attempted,
           a.partition_key as attempted_partition, case when c.seq is null then o.location else c.location end as owner
         from versions v join asset_owners o using (asset_key) left join attempts a on a.id = v.attempt_id
         left join buried t on t.asset_key = v.asset_key and t.seq > v.seq
         left join lateral (select e.seq from events e where e.run_id = a.run_id and e.step_index = a.step_index
           and e.kind = 'step_leased' and e.payload ->> 'attempt' = a.id::text
           and exists (select from changes x where x.asset_key = v.asset_key) limit 1) l on true
         left join lateral (select x.seq, x.location from changes x where x.asset_key = v.asset_key and x.seq > case when v.attempt_id is null then v.seq else l.seq end
           order by x.seq limit 1) c on true
         where t.seq is null)
     select seq as position, 'version ' || id || ' of ' || asset_key || ' was made by ' || location || ', and ' || coalesce(owner, 'nobody') || ' owns it' as found,
       jsonb_build_object('version', id, 'asset', asset_key, 'location', location, 'owner', owner) as ids
     from made where location is distinct from owner or computed <> location or attempted <> asset_key
       or attempted_partition <> partition_key`,
  ),
  rule(
    "checked_by_owner",
    "A check result comes from a location of the check's team, or was reported for a check of that team.",
    `with ${tombstones}
     select c.seq as position, 'result ' || c.id || ' of ' || c.team || ':' || c.name || ' on ' || c.asset_key || ' came from ' || coalesce(a.location, 'nowhere') as found,
       jsonb_build_object('result', c.id, 'team', c.team, 'check', c.name, 'location', a.location) as ids
     from check_results c left join attempts a on a.id = c.attempt_id left join locations l on l.name = a.location
     where not exists (select from buried t where t.asset_key = c.asset_key and t.seq > c.seq) and case when c.attempt_id is null
       then not exists (select from audit r where r.action = 'check.report' and r.details ->> 'result' = c.id::text
           and r.details ->> 'team' = c.team)
         or not exists (select from definitions b where b.kind = 'check'
           and (b.body ->> 'asset' = c.asset_key or exists (select from asset_renames n
             where n.old_key = b.body ->> 'asset' and n.key = c.asset_key and n.done_at is not null))
           and b.body ->> 'name' = c.name and b.body ->> 'reportedBy' = 'api')
       else l.team is distinct from c.team end`,
  ),
  rule(
    "waived_check_exists",
    "A waiver is for a check that its team defines, or that the asset's owner requires, and for a version of that asset.",
    // The checks of an asset that is being deleted are forgotten at once, its waivers in batches.
    `with ${tombstones}
     select null::bigint as position, 'waiver ' || w.id || ' is for ' || w.team || ':' || w.name || ' on ' || w.asset_key || ', which nobody defines' as found,
       jsonb_build_object('waiver', w.id, 'asset', w.asset_key, 'team', w.team, 'check', w.name) as ids
     from waivers w join versions v on v.id = w.version_id
     where not exists (select from buried t where t.asset_key = v.asset_key and t.seq > v.seq)
       and ((v.asset_key, v.partition_key) is distinct from (w.asset_key, w.partition_key)
       or not exists (select from location_definitions d join locations l on l.name = d.location
           where d.kind = 'check' and d.key = w.asset_key || '@' || w.name and l.team = w.team)
         and not exists (select from check_results c where c.version_id = w.version_id and c.team = w.team and c.name = w.name)
         and not exists (select from location_definitions d join definitions b on b.hash = d.hash,
             jsonb_array_elements(b.body -> 'requiredChecks') r
           where d.kind = 'asset' and d.key = w.asset_key and r ->> 'team' = w.team and r ->> 'name' = w.name))`,
  ),
];
