-- Assets that were deleted. While `done_at` is null, rows of the history are still being removed, and the key is refused
-- as a definition. Whoever defines the key anew afterwards begins a new history, and the row goes.
create table asset_deletions (
  asset_key text primary key,
  team text not null,
  actor text not null,
  requested_at timestamptz not null default clock_timestamp(),
  -- How many there were, and how many are gone.
  versions bigint not null,
  removed bigint not null default 0,
  -- The logs of its steps are gone up to this partition and run; null: none yet.
  logs_partition text,
  logs_run uuid,
  done_at timestamptz
);
create index asset_deletions_under_way on asset_deletions (requested_at) where done_at is null;
