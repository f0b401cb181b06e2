-- breaking: a daemon that knows assets and checks alone would take every other definition for a check.
--
-- Schedules and sensors, and what each of their ticks came to.

alter table definitions drop constraint definitions_kind_check,
  add constraint definitions_kind_check check (kind in ('asset', 'check', 'schedule', 'sensor'));
alter table location_definitions drop constraint location_definitions_kind_check,
  add constraint location_definitions_kind_check check (kind in ('asset', 'check', 'module', 'schedule', 'sensor'));

-- What is remembered of a schedule or sensor from tick to tick: one row a name that was ever defined. It is written in the
-- transaction that changes definitions, so a definition that serves has its row. Locked by name in ascending order, after
-- the definitions lock and before runs.
create table automations (
  -- "team/name", unique over both kinds.
  name text primary key,
  kind text not null check (kind in ('schedule', 'sensor')),
  -- Where it is defined, or was last.
  location text not null references locations (name),
  -- Its definition vanished: nothing is due. One that comes back begins anew, with a watermark of that moment.
  retired_at timestamptz,
  -- What somebody said with start or stop; null: nobody has, and `status` of the definition decides.
  is_on boolean,
  switched_by text,
  switched_at timestamptz,
  -- Schedules: the crons and the zone that `watermark` belongs to. With others it begins anew.
  cadence text,
  -- Schedules: every instant up to and including this one is dealt with. It is set to now when the schedule is first
  -- defined, comes back, is started, or gets another cadence; from then on the transactions that end ticks move it on.
  watermark timestamptz,
  -- Sensors: where the next evaluation goes on from; null: from the beginning.
  cursor text,
  -- Sensors: how often the cursor was set. Who sets it names the revision that it was evaluated from, so that of two
  -- daemons one is refused.
  cursor_revision bigint not null default 0,
  check ((kind = 'schedule') = (cadence is not null)),
  check ((kind = 'schedule') = (watermark is not null)),
  check (kind = 'sensor' or cursor is null),
  check ((is_on is null) = (switched_by is null) and (is_on is null) = (switched_at is null))
) with (fillfactor = 70);

-- One row a tick. What is decided here is written once, in its end: 'launched' in the transaction that creates its runs.
-- What a code location has to evaluate is 'requested' before the location is asked and 'evaluated' once it has answered,
-- so that whoever finds an open tick after a kill goes on from what is stored: asks again, or carries out the answer.
create table ticks (
  -- UUIDv7: their order is that of creation.
  id uuid primary key,
  automation text not null references automations (name),
  -- The instant of the cron that it stands for. Null: a sensor's, or one that somebody asked for by hand.
  scheduled_at timestamptz,
  -- Who asked for it by hand; null: it was due.
  asked_by text,
  -- requested, evaluated: open, see above. launched: its runs are created. skipped: there was nothing to do, `reason` says
  -- why. missed: nobody was there in time, and the catch-up policy leaves it out. failed: `error` says why.
  state text not null check (state in ('requested', 'evaluated', 'launched', 'skipped', 'missed', 'failed')),
  -- The definition that it was judged by.
  definition_hash text not null,
  reason text not null default '',
  -- { code, message, hint }
  error jsonb,
  -- Missed: this row stands for so many instants, the first at `missed_since`, the last at `scheduled_at`.
  missed_count integer,
  missed_since timestamptz,
  -- Evaluated: what the location answered and is not carried out yet, with the ids that its runs will have.
  answer jsonb,
  -- Sensors: the cursor that it was evaluated from, and the one that it left.
  cursor_before text,
  cursor_after text,
  run_count integer not null default 0,
  -- Who evaluates it.
  daemon uuid references daemons (id) on delete set null,
  created_at timestamptz not null default clock_timestamp(),
  evaluated_at timestamptz,
  ended_at timestamptz,
  check ((ended_at is null) = (state in ('requested', 'evaluated'))),
  check ((state = 'missed') = (missed_count is not null) and (state = 'missed') = (missed_since is not null)),
  check (state <> 'missed' or scheduled_at is not null),
  check (scheduled_at is null or asked_by is null)
);
-- Exactly once: of two daemons that fire an instant one writes nothing.
create unique index ticks_once on ticks (automation, scheduled_at) where scheduled_at is not null;
-- A sensor is evaluated by one daemon at a time.
create unique index ticks_one_open on ticks (automation) where scheduled_at is null and ended_at is null;
create index ticks_newest on ticks (automation, id desc);
create index ticks_open on ticks (id) where ended_at is null;
create index ticks_of_daemon on ticks (daemon) where daemon is not null;

-- The tick that launched it; null: another launch source.
alter table runs add column tick_id uuid references ticks (id);
create index runs_of_tick on runs (tick_id) where tick_id is not null;
