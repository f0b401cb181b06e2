-- Sensors: when each is evaluated next and who does it, the run keys that were answered, and what a tick says besides.

alter table automations
  -- Sensors: not before this time; null: at once.
  add column due_at timestamptz,
  -- Sensors: evaluations that failed, in a row.
  add column failures integer not null default 0,
  add column evaluated_at timestamptz,
  -- Sensors: who evaluates it, and until when nobody else does. What an evaluation came to is written only by who holds it.
  add column claimed_by uuid references daemons (id) on delete set null,
  add column claimed_until timestamptz;
create index automations_of_daemon on automations (claimed_by) where claimed_by is not null;

-- Of one sensor, a run key is answered by one run, ever. Written in the transaction that creates the run.
create table run_keys (
  sensor text not null references automations (name),
  run_key text not null check (length(run_key) between 1 and 255),
  run_id uuid not null references runs (id),
  primary key (sensor, run_key)
);
create index run_keys_of_run on run_keys (run_id);

alter table ticks
  -- Sensors: requests that no run could be planned for, the first 100: [{ runKey, targets, partitions, code, message, hint }].
  add column refused jsonb not null default '[]',
  add column refused_count integer not null default 0,
  -- Sensors: requests whose run key had its run already.
  add column repeated_count integer not null default 0,
  -- Sensors: what the evaluation printed and logged.
  add column log text not null default '',
  add column log_dropped_bytes bigint not null default 0,
  -- Sensors: skips in a row with one reason are one row; of so many evaluations.
  add column evaluation_count integer not null default 1;
