-- breaking: a daemon that does not know pools would lease beyond their limits.
--
-- Pools: at most so many attempts at once of the assets that name one, across teams and daemons. A slot is not kept
-- anywhere: the attempts in flight are counted, those of unknown fate too, so none outlives its holder.
create table pools (
  name text primary key,
  slots integer not null check (slots between 1 and 100000),
  set_at timestamptz not null default clock_timestamp(),
  set_by text not null
);

-- The pool of whose slots the attempt has one; null: of none. What one call computes has one slot together.
alter table attempts add column pool text;
create index attempts_in_pool on attempts (pool)
  where pool is not null and state in ('leased', 'started', 'unknown');

-- The step that is next in each daemon's line for a full pool: whoever asks for a slot leaves as many free as there are
-- others before it. A daemon that asks no more is passed over after five seconds.
create table pool_lines (
  pool text not null,
  daemon uuid not null references daemons (id) on delete cascade,
  priority integer not null,
  created_at timestamptz not null,
  asked_at timestamptz not null default clock_timestamp(),
  primary key (pool, daemon)
);

-- Of the leases in `p` those for which their pool has no slot. Called under the lock of the log, which flushes take before
-- they write: whoever counts next sees what was leased here.
create function beyond_pools(p jsonb, stale text[]) returns uuid[] language plpgsql volatile
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off as $$
declare
  own constant uuid := (p ->> 'daemon')::uuid;
  beyond uuid[] := '{}';
  seen uuid[];
  next_in_line record;
  limited record;
  entry record;
  free integer;
  earlier integer;
begin
  for limited in select name, slots from pools
      where name = any (array(select jsonb_array_elements_text(p -> 'pools'))) order by name loop
    select limited.slots - count(distinct coalesce(computation, id)) into free from attempts
      where pool = limited.name and pool is not null and state in ('leased', 'started', 'unknown');
    seen := '{}';
    next_in_line := null;
    for entry in select x.id, coalesce(x.computation, x.id) as call, x.priority,
          to_timestamp(x."createdAtMs" / 1000) as created_at
        from rows from (jsonb_to_recordset(p -> 'leases') as (id uuid, computation uuid, pool text, priority integer,
          "createdAtMs" double precision, "gateAssets" jsonb))
          with ordinality as x (id, computation, pool, priority, "createdAtMs", "gateAssets", n)
        where x.pool = limited.name and (stale is null or not (x."gateAssets" ?| stale)) order by x.priority desc, x."createdAtMs", x.n loop
      continue when entry.call = any (seen); -- It shares the slot of the first that is computed with it.
      select count(*) into earlier from pool_lines l
        where l.pool = limited.name and l.daemon <> own and l.asked_at > clock_timestamp() - interval '5 s'
          and (l.priority > entry.priority or (l.priority = entry.priority and l.created_at < entry.created_at));
      if free > earlier then
        free := free - 1;
        seen := seen || entry.call;
        continue;
      end if;
      beyond := beyond || entry.id;
      if next_in_line is null then
        next_in_line := entry;
      end if;
    end loop;
    if next_in_line is null then
      delete from pool_lines l where l.pool = limited.name and l.daemon = own;
    else
      insert into pool_lines (pool, daemon, priority, created_at)
        values (limited.name, own, next_in_line.priority, next_in_line.created_at)
        on conflict (pool, daemon) do update set priority = excluded.priority, created_at = excluded.created_at,
          asked_at = clock_timestamp();
    end if;
  end loop;
  return beyond;
end $$;

-- As in 000008_computations.sql, and: `pools` names those of the leases; a lease for which its pool has no slot is not
-- granted, and told in `full`.
create or replace function drive_flush(p jsonb) returns jsonb language plpgsql volatile
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off as $$
declare
  keys text[];
  bumps text[];
  epochs jsonb;
  stale text[];
  granted uuid[] := '{}';
  full_pools uuid[] := '{}';
  base bigint;
  appended bigint;
  partial uuid[];
  entry record;
begin
  perform 1 from daemons where id = (p ->> 'daemon')::uuid for key share;
  if not found then
    raise exception 'daemon % has lost its row', p ->> 'daemon' using errcode = 'HG001';
  end if;
  if p ? 'runs' then
    perform 1 from runs where id in (select (r ->> 'id')::uuid from jsonb_array_elements(p -> 'runs') r)
      order by id for no key update;
  end if;

  bumps := array(select jsonb_array_elements_text(coalesce(p -> 'bumps', '[]')));
  keys := bumps || array(select jsonb_object_keys(coalesce(p -> 'gates', '{}')));
  if cardinality(keys) > 0 then
    with locked as (
      select asset_key, epoch from asset_gate where asset_key = any (keys) order by asset_key for no key update)
    select jsonb_object_agg(asset_key, epoch + (asset_key = any (bumps))::integer) into epochs from locked;
    stale := array(select key from jsonb_each_text(coalesce(p -> 'gates', '{}')) g
      where value::bigint + (key = any (bumps))::integer is distinct from (epochs ->> key)::bigint);
    update asset_gate set epoch = epoch + 1 where asset_key = any (bumps);
  end if;

  perform pg_advisory_xact_lock(7205759403792793);
  select coalesce(max(seq), 0) into base from events;

  -- Row by row: a lookup by key costs less than any join that is planned for a batch, and stays what it is.
  for entry in select * from jsonb_to_recordset(p -> 'progress')
      as x (id uuid, state text, sequence bigint, "instanceId" text) loop
    update attempts a set state = coalesce(entry.state, a.state), sequence = greatest(a.sequence, entry.sequence),
        instance_id = coalesce(entry."instanceId", a.instance_id),
        started_at = case when entry.state = 'started' then coalesce(a.started_at, clock_timestamp()) else a.started_at end
      where a.id = entry.id and a.ended_at is null;
  end loop;
  for entry in select * from jsonb_to_recordset(p -> 'ended')
      as x (id uuid, state text, error jsonb, sequence bigint) loop
    update attempts a set state = entry.state, error = entry.error, ended_at = clock_timestamp(),
        sequence = greatest(a.sequence, coalesce(entry.sequence, 0))
      where a.id = entry.id and a.ended_at is null;
  end loop;
  if p ? 'logs' then
    insert into log_chunks (attempt_id, sequence, stream, at, body, dropped_bytes)
      select "attemptId", sequence, stream, to_timestamp("atMs" / 1000.0), decode(body, 'base64'), "droppedBytes"
      from jsonb_to_recordset(p -> 'logs') as x ("attemptId" uuid, sequence bigint, stream text, "atMs" double precision,
        body text, "droppedBytes" bigint)
      on conflict do nothing;
  end if;
  if p ? 'versions' then
    insert into versions (id, asset_key, partition_key, seq, run_id, attempt_id, location, code_version, data_version,
        value, metadata, inputs, waivers)
      select id, "assetKey", "partitionKey", base + event, "runId", "attemptId", location, "codeVersion", "dataVersion",
        value, metadata, inputs, array(select jsonb_array_elements_text(waivers)::uuid)
      from jsonb_to_recordset(p -> 'versions') as x (id uuid, "assetKey" text, "partitionKey" text, event bigint,
        "runId" uuid, "attemptId" uuid, location text, "codeVersion" text, "dataVersion" text, value jsonb,
        metadata jsonb, inputs jsonb, waivers jsonb)
      on conflict do nothing;
  end if;
  if p ? 'results' then
    insert into check_results (id, version_id, asset_key, partition_key, team, name, check_version, outcome, description,
        metadata, error, run_id, attempt_id, seq)
      select id, "versionId", "assetKey", "partitionKey", team, name, "checkVersion", outcome, description,
        metadata, error, "runId", "attemptId", base + event
      from jsonb_to_recordset(p -> 'results') as x (id uuid, "versionId" uuid, "assetKey" text, "partitionKey" text,
        team text, name text, "checkVersion" integer, outcome text, description text, metadata jsonb, error jsonb,
        "runId" uuid, "attemptId" uuid, event bigint)
      on conflict do nothing;
  end if;
  if p ? 'newSteps' then
    insert into steps (run_id, index, kind, asset_key, partition_key, location, state, after, edges, checks, version_id)
      select "runId", index, kind, "assetKey", "partitionKey", location, 'waiting',
        array(select jsonb_array_elements_text(after)::integer), edges, checks, "versionId"
      from jsonb_to_recordset(p -> 'newSteps') as x ("runId" uuid, index integer, kind text, "assetKey" text,
        "partitionKey" text, location text, after jsonb, edges jsonb, checks jsonb, "versionId" uuid);
  end if;
  for entry in select * from jsonb_to_recordset(p -> 'steps') as x ("runId" uuid, index integer, state text, error jsonb,
      reasons jsonb, "versionId" uuid, ended boolean) loop
    update steps s set state = entry.state, error = coalesce(entry.error, s.error), reasons = coalesce(entry.reasons, s.reasons),
        version_id = coalesce(entry."versionId", s.version_id),
        started_at = coalesce(s.started_at, case when entry.state = 'started' then clock_timestamp() end),
        ended_at = case when entry.ended then clock_timestamp() end
      where s.run_id = entry."runId" and s.index = entry.index
        and s.state not in ('succeeded', 'failed', 'blocked', 'skipped', 'canceled');
  end loop;
  for entry in select * from jsonb_to_recordset(p -> 'runs') as x (id uuid, state text, ended boolean) loop
    update runs u set state = entry.state, ended_at = case when entry.ended then clock_timestamp() end,
        driver = case when entry.ended then null else u.driver end
      where u.id = entry.id and u.state in ('queued', 'started', 'canceling');
  end loop;
  if p ? 'decisions' then
    insert into decisions (id, asset_key, partition_key, run_id, step_index, source, outcome, reasons, seq)
      select id, "assetKey", "partitionKey", "runId", "stepIndex", source, 'blocked', reasons, base + event
      from jsonb_to_recordset(p -> 'decisions') as x (id uuid, "assetKey" text, "partitionKey" text, "runId" uuid,
        "stepIndex" integer, source text, reasons jsonb, event bigint);
  end if;
  if p ? 'pools' then
    full_pools := beyond_pools(p, stale);
  end if;
  if p ? 'leases' then
    with leased as (
      insert into attempts (id, run_id, step_index, number, epoch, kind, asset_key, partition_key, location, instance_id,
          version_id, state, inputs, computation, is_whole, pool)
        select id, "runId", "stepIndex", number, epoch, kind, "assetKey", "partitionKey", location, "instanceId",
          "versionId", 'leased', inputs, computation, coalesce("isWhole", false),
          pool
        from jsonb_to_recordset(p -> 'leases') as x (id uuid, "runId" uuid, "stepIndex" integer, number integer,
          epoch bigint, kind text, "assetKey" text, "partitionKey" text, location text, "instanceId" text,
          "versionId" uuid, inputs jsonb, computation uuid, "isWhole" boolean, "gateAssets" jsonb,
          pool text)
        where (stale is null or not ("gateAssets" ?| stale)) and id <> all (full_pools)
        on conflict do nothing
        returning id)
    select coalesce(array_agg(id), '{}') into granted from leased;
    if cardinality(granted) < jsonb_array_length(p -> 'leases') then
      -- A computation is leased as a whole or not at all: what was granted of one that is not whole is taken back.
      partial := array(select distinct computation from jsonb_to_recordset(p -> 'leases') as x (id uuid, computation uuid)
        where computation is not null and id <> all (granted));
      for entry in select * from jsonb_to_recordset(p -> 'leases') as x (id uuid, computation uuid)
          where computation = any (partial) and id = any (granted) loop
        delete from attempts where id = entry.id;
        granted := array_remove(granted, entry.id);
      end loop;
    end if;
    for entry in select * from jsonb_to_recordset(p -> 'leases')
        as x (id uuid, "runId" uuid, "stepIndex" integer, number integer) where id = any (granted) loop
      update steps s set state = 'leased', attempts = entry.number, started_at = coalesce(s.started_at, clock_timestamp())
        where s.run_id = entry."runId" and s.index = entry."stepIndex";
    end loop;
  end if;

  insert into events (seq, kind, run_id, step_index, asset_key, partition_key, location, payload)
    select base + n, e ->> 'kind', (e ->> 'runId')::uuid, (e ->> 'stepIndex')::integer, e ->> 'assetKey',
      e ->> 'partitionKey', e ->> 'location', coalesce(e -> 'payload', '{}')
    from jsonb_array_elements(coalesce(p -> 'events', '[]')) with ordinality as t (e, n);
  get diagnostics appended = row_count;
  if p ? 'leaseEvents' then
    insert into events (seq, kind, run_id, step_index, asset_key, partition_key, location, payload)
      select base + appended + row_number() over (order by n), e ->> 'kind', (e ->> 'runId')::uuid,
        (e ->> 'stepIndex')::integer, e ->> 'assetKey', e ->> 'partitionKey', e ->> 'location',
        coalesce(e -> 'payload', '{}')
      from jsonb_array_elements(p -> 'leaseEvents') with ordinality as t (e, n)
      where (e ->> 'leaseId')::uuid = any (granted);
  end if;
  return jsonb_build_object('base', base, 'granted', to_jsonb(granted), 'epochs', coalesce(epochs, '{}'),
    'stale', to_jsonb(coalesce(stale, '{}')), 'full', to_jsonb(full_pools));
end $$;
