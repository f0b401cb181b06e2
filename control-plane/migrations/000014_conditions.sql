-- breaking: a daemon that knows `onMissing` alone would take every other condition for it.
--
-- Conditions: what each remembers, what it requested and from what, and what its evaluations came to.

alter table automation_requests
  -- The definition that was served then: another one may be requested again.
  add column definition_hash text not null default '',
  -- The time that the evaluation was made for: ticks up to then are dealt with.
  add column evaluated_at timestamptz not null default clock_timestamp(),
  -- What would have been read: [{ asset, partition, version, seq, coalesced }]. `coalesced` names the open versions in
  -- between that this request stands for, too: they came while the asset was being made, or in one commit.
  add column reads jsonb not null default '[]';

-- One row an asset that has a condition. Whoever requests it, or changes what its condition remembers, names the revision
-- that was read, so that of two daemons one does it. Locked by key in ascending order, before gates.
create table condition_states (
  asset_key text primary key,
  -- Of the condition and the partitions: with others it begins anew.
  condition_hash text not null,
  -- Ticks until then are none of its business.
  since timestamptz not null,
  revision bigint not null default 0,
  -- The log was read up to here in the last evaluation that changed what it remembers; null: there was none.
  seq bigint,
  -- What the last such evaluation requested, and what is remembered of each part that remembers: sets of partitions, as
  -- ranges of ordinals, or as keys where partitions are dynamic.
  requested jsonb not null default '[]',
  held jsonb not null default '{}'
) with (fillfactor = 70);

-- Evaluations that requested something, and of each asset the newest that did not, with the tree and its truth sets.
create table condition_evaluations (
  id uuid primary key,
  asset_key text not null,
  evaluated_at timestamptz not null,
  -- How many partitions it requested; 0: none, and the next of that kind takes its place.
  requested_count integer not null,
  run_id uuid references runs (id),
  -- See Explanation in domain/conditions/explain.ts.
  explanation jsonb not null
);
create index condition_evaluations_newest on condition_evaluations (asset_key, id desc);
create unique index condition_evaluations_idle on condition_evaluations (asset_key) where requested_count = 0;

-- What is recorded of one partition, as conditions see it; `reader`: the asset has a condition, so that what it was made
-- from and requested for counts, too. See PartitionState in domain/conditions/partition-state.ts.
create function partition_facts(asset text, part text, reader boolean, depth integer) returns jsonb
  language sql stable as $$
  select jsonb_build_object(
    'versions', coalesce((
      select jsonb_agg(version_state(v.id) || jsonb_build_object('judgedAtMs', floor(extract(epoch from greatest(
          v.created_at,
          (select max(r.created_at) from check_results r where r.version_id = v.id),
          (select max(w.created_at) from waivers w where w.version_id = v.id and w.ended_at is null))) * 1000))
        order by v.seq desc)
      from (select n.id, n.seq, n.created_at from versions n
        where n.asset_key = asset and n.partition_key = part and n.discarded_at is null
        order by n.seq desc limit depth) v), '[]'),
    'inProgress', exists (select from steps s where s.asset_key = asset and s.partition_key = part
      and s.ended_at is null and s.kind = 'materialize'),
    'checking', exists (select from steps s where s.asset_key = asset and s.partition_key = part
      and s.ended_at is null and s.kind = 'checks'),
    'failedAtMs', (select case when l.state = 'failed' then floor(extract(epoch from l.ended_at) * 1000) end
      from (select s.state, s.ended_at from steps s where s.asset_key = asset and s.partition_key = part
        and s.kind = 'materialize' and s.ended_at is not null order by s.run_id desc limit 1) l),
    'requests', case when reader then coalesce((
      select jsonb_agg(jsonb_build_object('definition', q.definition_hash, 'run', q.run_id,
          'reads', coalesce((
            select jsonb_agg(jsonb_build_object('asset', u.asset_key, 'partition', u.partition_key, 'seq', u.seq))
            from jsonb_array_elements(q.reads) r join versions u on u.id = (r ->> 'version')::uuid), '[]'),
          'atMs', floor(extract(epoch from q.evaluated_at) * 1000),
          'blocked', exists (select from steps s where s.asset_key = asset and s.partition_key = part
            and s.run_id = q.run_id and s.kind = 'materialize' and s.state = 'blocked')) order by q.run_id desc)
      from (select * from automation_requests a where a.asset_key = asset and a.partition_key = part
        order by a.run_id desc limit 10) q), '[]') else '[]'::jsonb end,
    'madeFrom', case when reader then coalesce((
      select jsonb_agg(jsonb_build_object('asset', u.asset_key, 'partition', u.partition_key, 'seq', u.seq))
      from (select n.inputs from versions n where n.asset_key = asset and n.partition_key = part
          and n.discarded_at is null order by n.seq desc limit 1) newest
        cross join lateral jsonb_array_elements(newest.inputs) i
        cross join lateral jsonb_array_elements(i -> 'versions') r
        join versions u on u.id = (r ->> 'id')::uuid), '[]') else '[]'::jsonb end)
$$;
