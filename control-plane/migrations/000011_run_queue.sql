-- breaking: a daemon that does not know slots would start runs beyond every limit.
--
-- The run queue. A run asks for a slot ('wanted'), holds one ('held'), or has given it back since nothing of it can go on
-- ('released'). What counts is the rows themselves, so that no slot is lost with a process.
alter table runs add column team text not null default '';
alter table runs add column slot text not null default 'wanted' check (slot in ('wanted', 'held', 'released'));
update runs r set slot = case when state = 'queued' then 'wanted' else 'held' end,
    team = coalesce((select split_part(asset_key, '/', 1) from steps s where s.run_id = r.id order by index limit 1), '')
  where ended_at is null;
create index runs_wanting on runs (team, priority desc, created_at, id) where slot = 'wanted' and ended_at is null;
-- A run that asks again is waited for by its driver alone: whoever else looks counts it as one that holds a slot.
create index runs_holding on runs (team)
  where (slot = 'held' or (slot = 'wanted' and driver is not null)) and ended_at is null;
create index runs_left on runs (priority desc, created_at) where driver is null and state <> 'queued' and ended_at is null;
drop index runs_open;

-- When the last run of a team started, in virtual time: see domain/run-queue.ts.
create table queue_teams (
  team text primary key,
  virtual_start double precision not null
);

-- What a daemon chooses from. `p`: { daemon, held: [run ids in its memory], max, maxRuns, tagLimits: [{ index, key, value,
-- perValue, limit }] }. Returns { looked: how many runs of a team are told at most, left: [run ids that nobody has in
-- memory], teams: [{ team, held, virtualStart, waiting: [{ id, tags }] }], tagged: [{ bucket, count }] }.
--
-- It takes the queue's lock, the first of a transaction's locks: whoever looks at the queue has it alone until the commit.
-- A run that a full tag limit holds back is passed over. Plans are made by rule, as those of drive_flush are.
create function read_queue(p jsonb) returns jsonb language plpgsql volatile
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set enable_bitmapscan = off set enable_sort = off as $$
declare
  own constant uuid := (p ->> 'daemon')::uuid;
  in_memory constant uuid[] := array(select jsonb_array_elements_text(p -> 'held')::uuid);
  room integer := (p ->> 'max')::integer;
  teams jsonb;
  tagged jsonb := '[]';
  full_keys text[] := '{}';
  full_values text[] := '{}';
  entry record;
begin
  perform pg_advisory_xact_lock(7205759403792795);
  if p ? 'maxRuns' then
    room := least(room, (p ->> 'maxRuns')::integer
      - (select count(*) from runs where (slot = 'held' or (slot = 'wanted' and driver is not null))
          and ended_at is null and (slot = 'held' or driver <> own))::integer);
  end if;
  for entry in select x.index, x.key, x."limit", x.value as wanted, x."perValue", h.value, h.count
      from jsonb_to_recordset(p -> 'tagLimits') as x (index integer, key text, value text, "perValue" boolean, "limit" integer),
        lateral (select case when x."perValue" then r.tags ->> x.key end as value, count(*)::integer as count from runs r
          where (r.slot = 'held' or (r.slot = 'wanted' and r.driver is not null)) and r.ended_at is null
            and (r.slot = 'held' or r.driver <> own) and r.tags ? x.key and (x.value is null or r.tags ->> x.key = x.value)
          group by 1) h loop
    tagged := tagged || jsonb_build_object('count', entry.count,
      'bucket', entry.index || case when entry."perValue" then E'\n' || entry.value else '' end);
    if entry.count >= entry."limit" then
      full_keys := full_keys || entry.key;
      full_values := full_values || coalesce(entry.value, entry.wanted);
    end if;
  end loop;

  with recursive wanting as (
    (select team from runs where slot = 'wanted' and ended_at is null order by team limit 1)
    union all
    select (select r.team from runs r where r.slot = 'wanted' and r.ended_at is null and r.team > w.team
        order by r.team limit 1) from wanting w where w.team is not null),
  holding as (
    select team, count(*) as held from runs where (slot = 'held' or (slot = 'wanted' and driver is not null))
      and ended_at is null and (slot = 'held' or driver <> own) group by team),
  named as (
    select team from wanting where team is not null union select team from holding union select team from queue_teams)
  select jsonb_agg(jsonb_build_object('team', n.team, 'held', coalesce(h.held, 0), 'waiting', coalesce(w.waiting, '[]'),
      'virtualStart', q.virtual_start) order by n.team) into teams
    from named n left join holding h using (team) left join queue_teams q using (team)
      left join lateral (select jsonb_agg(jsonb_build_object('id', id, 'tags', tags)) as waiting from (
        select r.id, r.tags from runs r
          where r.team = n.team and r.slot = 'wanted' and r.ended_at is null and (r.driver is null or r.driver = own)
            and not exists (select from unnest(full_keys, full_values) as f (key, value)
              where r.tags ? f.key and (f.value is null or r.tags ->> f.key = f.value))
          order by r.priority desc, r.created_at, r.id limit greatest(room, 0)) ordered) w on true;

  return jsonb_build_object('looked', greatest(room, 0), 'teams', coalesce(teams, '[]'), 'tagged', tagged, 'left', (
    select coalesce(jsonb_agg(id), '[]') from (
      (select id from runs where driver is null and state <> 'queued' and ended_at is null
        order by priority desc, created_at limit (p ->> 'max')::integer)
      union all
      (select id from runs where driver = own and ended_at is null and id <> all (in_memory)
        limit (p ->> 'max')::integer)) l));
end $$;

-- Gives runs to a daemon. `p`: { daemon, runs: [those it takes], starts: [those of them that get a slot], resumes: [those
-- of them that it has in memory], virtualStarts: { team: number } }. Returns the ids of those that it got.
create function take_runs(p jsonb) returns setof uuid language plpgsql volatile
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off as $$
declare
  own constant uuid := (p ->> 'daemon')::uuid;
  ids constant uuid[] := array(select jsonb_array_elements_text(p -> 'runs')::uuid);
  starts constant uuid[] := array(select jsonb_array_elements_text(p -> 'starts')::uuid);
  resumes constant uuid[] := array(select jsonb_array_elements_text(p -> 'resumes')::uuid);
  taken uuid[];
  entries jsonb;
begin
  perform 1 from daemons where id = own for key share;
  if not found then
    raise exception 'daemon % has lost its row', own using errcode = 'HG001';
  end if;
  with locked as (
    -- By id and by nothing else: another condition would invite the plan to go through an index that grows.
    select id, state, driver, ended_at from runs where id = any (ids) order by id for no key update),
  open as (
    select id, state from locked where ended_at is null and (driver is null or driver = own)),
  given as (
    update runs r set driver = own, epoch = r.epoch + (r.id <> all (resumes))::integer,
        slot = case when r.id = any (starts) then 'held' else r.slot end,
        started_at = coalesce(r.started_at, clock_timestamp()),
        state = case when r.state = 'queued' then 'started' else r.state end
      from open where r.id = open.id
      returning r.id, r.epoch, r.priority, r.created_at, open.state = 'queued' as fresh)
  select array_agg(id order by priority desc, created_at), jsonb_agg(jsonb_build_object(
      'kind', case when fresh then 'run_started' else 'run_taken_over' end, 'runId', id,
      'payload', jsonb_build_object('epoch', epoch)) order by priority desc, created_at)
      filter (where id <> all (resumes)) into taken, entries from given;
  insert into queue_teams (team, virtual_start)
    select key, value::double precision from jsonb_each_text(p -> 'virtualStarts')
    on conflict (team) do update set virtual_start = excluded.virtual_start;
  if entries is not null then
    perform append_events(entries);
  end if;
  return query select unnest(taken);
end $$;
