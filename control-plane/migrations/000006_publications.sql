-- What readers outside Headgate see of the assets whose IO manager publishes: one row a partition that was ever claimed.
create table publications (
  asset_key text not null,
  partition_key text not null,
  -- What they see; null: nothing yet.
  version_id uuid references versions (id) on delete cascade,
  published_at timestamptz,
  -- What was last asked for. The row is written before the location is called: whoever finds it with another version_id
  -- and nobody at it calls again.
  wanted_id uuid not null references versions (id) on delete cascade,
  -- Who calls, and until when nobody else does.
  daemon uuid references daemons (id) on delete set null,
  claimed_until timestamptz,
  -- Of `wanted_id`, in a row.
  failures integer not null default 0,
  retry_at timestamptz,
  error jsonb,
  primary key (asset_key, partition_key)
);
create index publications_of_version on publications (version_id);
create index publications_wanting on publications (wanted_id);
create index publications_of_daemon on publications (daemon) where daemon is not null;
