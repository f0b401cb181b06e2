-- The schema of Headgate. Forward only; later files add to it.
-- Times are decided by the database (clock_timestamp()), ids by the caller (UUIDv7).

-- Daemons -----------------------------------------------------------------------------------------------------------

-- One row an incarnation of a daemon. It is renewed every 2 s and may be deleted by another daemon 10 s after its last
-- renewal: whoever's row is gone has lost its runs, and every flush of it is refused.
create table daemons (
  id uuid primary key,
  host text not null,
  pid integer not null,
  -- The process's start time as the operating system tells it: with host and pid it proves that a process is gone.
  process_start text not null default '',
  started_at timestamptz not null default clock_timestamp(),
  renewed_at timestamptz not null default clock_timestamp()
);

-- Definitions -------------------------------------------------------------------------------------------------------

create table locations (
  name text primary key,
  team text not null,
  address text,
  state text not null check (state in ('loading', 'healthy', 'unreachable', 'refused')),
  -- { code, message, hint } of the last failure to reach or to load it.
  error jsonb,
  definitions_hash text,
  build_id text,
  instance_id text,
  pid integer,
  sdk_version text,
  last_seen_at timestamptz,
  loaded_at timestamptz,
  -- A reload asked for by API and not yet carried out.
  reload_requested_at timestamptz,
  -- No longer in the workspace; its definitions stay for whoever reads its assets.
  removed_at timestamptz
);

-- Content-addressed: what an asset or check was defined as.
create table definitions (
  hash text primary key,
  kind text not null check (kind in ('asset', 'check')),
  body jsonb not null,
  created_at timestamptz not null default clock_timestamp()
);

-- The last good manifest of each location, and what is wrong with the newest one.
create table location_definitions (
  location text not null references locations (name),
  kind text not null check (kind in ('asset', 'check', 'module')),
  key text not null,
  -- The last good definition; null when it never loaded.
  hash text references definitions (hash),
  -- { code, message, hint, file, line } when the newest manifest has an error here.
  error jsonb,
  -- Vanished from the newest manifest: its versions serve the readers that it has.
  retired_at timestamptz,
  first_seen_at timestamptz not null default clock_timestamp(),
  primary key (location, kind, key)
);

-- Edges that have served: one to what is un-exported or retired later goes on, a new one like it is refused.
create table established_edges (
  reader text not null,
  upstream text not null,
  since timestamptz not null default clock_timestamp(),
  primary key (reader, upstream)
);

-- Which location a key belongs to. Absence frees nothing; a transfer does, and is audited.
create table asset_owners (
  asset_key text primary key,
  team text not null,
  location text not null,
  claimed_at timestamptz not null default clock_timestamp()
);

-- The gate epoch of an asset: bumped by every transition that can close its gate, in that transition's transaction.
create table asset_gate (
  asset_key text primary key,
  epoch bigint not null default 0
) with (fillfactor = 50);

-- The row '' stands for the definitions as a whole: a lease by a driver whose graph is older than them is refused.
insert into asset_gate (asset_key) values ('');

-- Runs --------------------------------------------------------------------------------------------------------------

create table runs (
  id uuid primary key,
  state text not null check (state in ('queued', 'started', 'canceling', 'succeeded', 'failed', 'blocked', 'canceled')),
  source text not null check (source in ('manual', 'schedule', 'sensor', 'automation', 'backfill', 'retry', 'api')),
  actor text not null,
  selection text not null,
  partitions text not null default '',
  config jsonb not null default '{}',
  tags jsonb not null default '{}',
  priority integer not null default 0,
  when_open boolean not null default false,
  retry_of uuid references runs (id),
  step_count integer not null,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  ended_at timestamptz,
  cancel_requested_at timestamptz,
  cancel_requested_by text,
  driver uuid references daemons (id) on delete set null,
  epoch bigint not null default 0
) with (fillfactor = 80);
create index runs_newest on runs (created_at desc, id desc);
create index runs_open on runs (priority desc, created_at) where ended_at is null;
create index runs_of_driver on runs (driver) where ended_at is null;

create table steps (
  run_id uuid not null references runs (id),
  index integer not null,
  kind text not null check (kind in ('materialize', 'checks')),
  asset_key text not null,
  -- '' where the asset is not partitioned.
  partition_key text not null default '',
  location text not null,
  state text not null check (state in ('waiting', 'leased', 'started', 'retrying', 'unknown',
    'succeeded', 'failed', 'blocked', 'skipped', 'canceled')),
  -- Indexes of the steps of this run that must have ended before this one.
  after integer[] not null default '{}',
  -- The edges with their mapped partitions, resolved once: [{ name, asset, mode, atLeast, single, partitions }].
  edges jsonb not null default '[]',
  -- Names of the checks to run, for kind 'checks' of the version `version_id`.
  checks jsonb not null default '[]',
  -- Made by this step (materialize) or checked by it (checks).
  version_id uuid,
  attempts integer not null default 0,
  -- Why it ended blocked: see decisions.
  reasons jsonb,
  error jsonb,
  started_at timestamptz,
  ended_at timestamptz,
  primary key (run_id, index)
) with (fillfactor = 70);
create index steps_open on steps (asset_key, partition_key) where ended_at is null;
create index steps_of_partition on steps (asset_key, partition_key, run_id);

create table attempts (
  id uuid primary key,
  run_id uuid not null,
  step_index integer not null,
  number integer not null,
  -- The run's epoch under which it was leased.
  epoch bigint not null,
  kind text not null check (kind in ('materialize', 'checks')),
  asset_key text not null,
  partition_key text not null,
  location text not null,
  -- Only this instance's word about the attempt counts.
  instance_id text not null,
  version_id uuid not null,
  state text not null check (state in ('leased', 'started', 'unknown',
    'succeeded', 'failed', 'canceled', 'crashed', 'timedOut', 'lost')),
  -- What it reads, pinned: [{ name, asset, mode, single, versions: [{ id, partition, waivers }], leftOut }].
  inputs jsonb not null default '[]',
  -- The newest position of the instance's stream that is stored.
  sequence bigint not null default 0,
  error jsonb,
  leased_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  ended_at timestamptz,
  foreign key (run_id, step_index) references steps (run_id, index),
  unique (run_id, step_index, number)
) with (fillfactor = 70);
-- At most one in flight an asset partition, and one an unfinished set of checks of a version and location.
create unique index attempts_one_materialization_in_flight on attempts (asset_key, partition_key)
  where kind = 'materialize' and state in ('leased', 'started', 'unknown');
create unique index attempts_one_check_in_flight on attempts (version_id, location)
  where kind = 'checks' and state in ('leased', 'started', 'unknown');
create index attempts_in_flight on attempts (location) where state in ('leased', 'started', 'unknown');

-- Versions and what is known of them --------------------------------------------------------------------------------

create table versions (
  id uuid primary key,
  asset_key text not null,
  partition_key text not null,
  -- The sequence number of the event that recorded it: the newest version is the one with the highest.
  seq bigint not null,
  run_id uuid not null,
  attempt_id uuid not null unique references attempts (id),
  location text not null,
  code_version text not null,
  data_version text not null,
  -- { scheme, place, mediaType, digest, sizeBytes }; null: no value was stored.
  value jsonb,
  metadata jsonb not null default '[]',
  inputs jsonb not null default '[]',
  -- Ids of the waivers under which it or anything upstream of it was read.
  waivers uuid[] not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  discarded_at timestamptz,
  discarded_by text,
  discard_reason text
) with (fillfactor = 90);
create index versions_newest on versions (asset_key, partition_key, seq desc);
create index versions_of_run on versions (run_id);

create table check_results (
  id uuid primary key,
  version_id uuid not null references versions (id),
  asset_key text not null,
  partition_key text not null,
  team text not null,
  name text not null,
  check_version integer not null,
  outcome text not null check (outcome in ('passed', 'warned', 'failed', 'errored')),
  description text not null default '',
  metadata jsonb not null default '[]',
  error jsonb,
  run_id uuid not null,
  attempt_id uuid not null,
  -- Of several results of one check for one version the one with the highest sequence number counts.
  seq bigint not null,
  created_at timestamptz not null default clock_timestamp(),
  unique (attempt_id, team, name)
);
create index check_results_of_version on check_results (version_id, team, name, seq desc);
create index check_results_of_check on check_results (asset_key, team, name, seq desc);

create table waivers (
  id uuid primary key,
  version_id uuid not null references versions (id),
  asset_key text not null,
  partition_key text not null,
  team text not null,
  name text not null,
  reason text not null,
  actor text not null,
  created_at timestamptz not null default clock_timestamp(),
  until timestamptz not null,
  -- Set when it was revoked, or when the timer has noticed that `until` has passed.
  ended_at timestamptz,
  ended_by text
);
create unique index waivers_one_live on waivers (version_id, team, name) where ended_at is null;
create index waivers_of_version on waivers (version_id);
create index waivers_by_end on waivers (until) where ended_at is null;

-- Why a step or a request was blocked: what `why` shows.
create table decisions (
  id uuid primary key,
  asset_key text not null,
  partition_key text not null,
  -- Null when an automation condition was held back.
  run_id uuid,
  step_index integer,
  source text not null check (source in ('run', 'automation')),
  outcome text not null check (outcome in ('blocked')),
  reasons jsonb not null,
  seq bigint not null,
  created_at timestamptz not null default clock_timestamp()
);
create index decisions_newest on decisions (asset_key, partition_key, seq desc);

-- Automation --------------------------------------------------------------------------------------------------------

-- What a condition has requested, once for each set of upstream versions that it would have read.
create table automation_requests (
  asset_key text not null,
  partition_key text not null,
  fingerprint text not null,
  run_id uuid not null references runs (id),
  created_at timestamptz not null default clock_timestamp(),
  primary key (asset_key, partition_key, fingerprint)
);

-- Requests of people and programs -----------------------------------------------------------------------------------

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  -- For example "run.create", "waiver.create".
  action text not null,
  -- What it was done to: an asset key, a run id.
  subject text not null,
  details jsonb not null default '{}'
);

create table idempotency_keys (
  actor text not null,
  key text not null,
  -- SHA-256 of method, path and body.
  request_hash text not null,
  status integer not null,
  response jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (actor, key)
);

-- Logs --------------------------------------------------------------------------------------------------------------

create table log_chunks (
  attempt_id uuid not null references attempts (id),
  -- The position in the attempt's stream: sending twice stores once.
  sequence bigint not null,
  stream text not null check (stream in ('stdout', 'stderr', 'log')),
  at timestamptz not null,
  body bytea not null,
  dropped_bytes bigint not null default 0,
  primary key (attempt_id, sequence)
);

-- Events ------------------------------------------------------------------------------------------------------------

-- Gap-free and in commit order across daemons: see append_events.
create table events (
  seq bigint not null,
  at timestamptz not null default clock_timestamp(),
  kind text not null,
  run_id uuid,
  step_index integer,
  asset_key text,
  partition_key text,
  location text,
  payload jsonb not null default '{}',
  primary key (seq)
) partition by range (seq);
create index events_of_run on events (run_id, seq) where run_id is not null;
create index events_of_asset on events (asset_key, seq) where asset_key is not null;

-- Makes sure that there is a partition for the newest event and one beyond. Ten million events each.
create function ensure_event_partitions() returns void language plpgsql as $$
declare
  size constant bigint := 10000000;
  newest bigint;
  first bigint;
begin
  perform pg_advisory_xact_lock(7205759403792794);
  select coalesce(max(seq), 0) into newest from events;
  for n in 0..1 loop
    first := (newest / size + n) * size;
    execute format('create table if not exists %I partition of events for values from (%L) to (%L)',
      'events_' || (newest / size + n), first, first + size);
  end loop;
end $$;

-- Appends events: [{ kind, runId, stepIndex, assetKey, partitionKey, location, payload }]. Returns the sequence number
-- before the first of them. Called last in a transaction: from here to the commit it has the log to itself. Lock and
-- max() are two statements, since one statement would read with a snapshot older than the lock.
create function append_events(entries jsonb) returns bigint language plpgsql volatile as $$
declare
  base bigint;
begin
  perform pg_advisory_xact_lock(7205759403792793);
  select coalesce(max(seq), 0) into base from events;
  insert into events (seq, kind, run_id, step_index, asset_key, partition_key, location, payload)
    select base + n, e ->> 'kind', (e ->> 'runId')::uuid, (e ->> 'stepIndex')::integer, e ->> 'assetKey',
      e ->> 'partitionKey', e ->> 'location', coalesce(e -> 'payload', '{}')
    from jsonb_array_elements(entries) with ordinality as t (e, n);
  return base;
end $$;

select ensure_event_partitions();
