-- Partitions of assets that run after run makes. What is asked for and what became of it are ranges of partitions by
-- asset (see domain/backfill-state.ts); the row is written in the transaction that creates the runs or takes in their
-- end, and its lock is what keeps two daemons from doing so at once.
create table backfills (
  id uuid primary key,
  state text not null
    check (state in ('running', 'paused', 'canceling', 'succeeded', 'failed', 'blocked', 'canceled')),
  actor text not null,
  selection text not null,
  partitions text not null,
  only_status text check (only_status in ('missing', 'failed', 'blocked')),
  partitions_per_run integer not null check (partitions_per_run > 0),
  priority integer not null,
  tags jsonb not null,
  when_open boolean not null,
  -- By asset key: { target, inFlight, succeeded, failed, blocked, canceled }, each a list of [first key, last key].
  progress jsonb not null,
  error jsonb,
  created_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz
);
create index backfills_open on backfills (id) where ended_at is null;

create table backfill_runs (
  run_id uuid primary key references runs (id),
  backfill_id uuid not null references backfills (id),
  -- Its end is part of the backfill's progress.
  is_counted boolean not null default false
);
create index backfill_runs_open on backfill_runs (backfill_id) where not is_counted;
create index backfill_runs_of on backfill_runs (backfill_id, run_id);
