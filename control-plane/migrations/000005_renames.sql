-- Former keys of assets. While a row is neither done nor refused, the history of `old_key` is still to be carried over
-- to `key`; from then on every column that names the asset says `key`. What was recorded inside JSON keeps the old key.
create table asset_renames (
  old_key text primary key,
  key text not null,
  asked_at timestamptz not null default clock_timestamp(),
  done_at timestamptz,
  -- Both keys have versions: two histories are never mixed.
  refused_at timestamptz,
  check (done_at is null or refused_at is null)
);
create index asset_renames_of on asset_renames (key);
create index asset_renames_asked on asset_renames (asked_at) where done_at is null and refused_at is null;
