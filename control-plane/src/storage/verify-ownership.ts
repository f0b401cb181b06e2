import type { HistoryRule } from "./history-rule.ts";

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
    `select null::bigint as position, o.asset_key || ' belongs to ' || o.team || ' in location ' || o.location ||
         coalesce(' of ' || nullif(l.team, o.team), '') as found,
       jsonb_build_object('asset', o.asset_key, 'team', o.team, 'location', o.location) as ids
     from asset_owners o left join locations l on l.name = o.location
     where o.team <> split_part(o.asset_key, '/', 1) or l.team is distinct from o.team`,
  ),
  rule(
    "asset_has_owner",
    "Every asset that a step, a version or a good definition names has an owner.",
    `select null::bigint as position, asset_key || ' has ' || what || ' and no owner' as found, jsonb_build_object('asset', asset_key) as ids
     from (
       select distinct asset_key, 'steps' as what from steps
       union select distinct asset_key, 'versions' from versions
       union select key, 'a definition in ' || location from location_definitions
         where kind = 'asset' and hash is not null and retired_at is null and error is null) x
     where not exists (select from asset_owners o where o.asset_key = x.asset_key)`,
  ),
  rule(
    "made_by_owner",
    "A version is made by the location that owns its asset, and by no other.",
    `select v.seq as position, 'version ' || v.id || ' of ' || v.asset_key || ' was made by ' || v.location || ', and ' || o.location || ' owns it' as found,
       jsonb_build_object('version', v.id, 'asset', v.asset_key, 'location', v.location, 'owner', o.location) as ids
     from versions v join asset_owners o using (asset_key) join attempts a on a.id = v.attempt_id
     where v.location <> o.location or a.location <> v.location or a.asset_key <> v.asset_key
       or a.partition_key <> v.partition_key`,
  ),
  rule(
    "checked_by_owner",
    "A check result comes from a location of the check's team.",
    `select c.seq as position, 'result ' || c.id || ' of ' || c.team || ':' || c.name || ' on ' || c.asset_key || ' came from ' || coalesce(a.location, 'nowhere') as found,
       jsonb_build_object('result', c.id, 'team', c.team, 'check', c.name, 'location', a.location) as ids
     from check_results c left join attempts a on a.id = c.attempt_id left join locations l on l.name = a.location
     where l.team is distinct from c.team`,
  ),
  rule(
    "waived_check_exists",
    "A waiver is for a check that its team defines, or that the asset's owner requires, and for a version of that asset.",
    `select null::bigint as position, 'waiver ' || w.id || ' is for ' || w.team || ':' || w.name || ' on ' || w.asset_key || ', which nobody defines' as found,
       jsonb_build_object('waiver', w.id, 'asset', w.asset_key, 'team', w.team, 'check', w.name) as ids
     from waivers w join versions v on v.id = w.version_id
     where (v.asset_key, v.partition_key) is distinct from (w.asset_key, w.partition_key)
       or not exists (select from location_definitions d join locations l on l.name = d.location
           where d.kind = 'check' and d.key = w.asset_key || '@' || w.name and l.team = w.team)
         and not exists (select from check_results c where c.version_id = w.version_id and c.team = w.team and c.name = w.name)
         and not exists (select from location_definitions d join definitions b on b.hash = d.hash,
             jsonb_array_elements(b.body -> 'requiredChecks') r
           where d.kind = 'asset' and d.key = w.asset_key and r ->> 'team' = w.team and r ->> 'name' = w.name)`,
  ),
];
