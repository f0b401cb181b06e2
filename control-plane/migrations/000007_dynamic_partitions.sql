-- Sets of partition keys that come and go by command. `next_ordinal` only grows: a key that was removed leaves its place
-- to nobody, and one that comes again comes last.
create table dynamic_sets (
  team text not null,
  name text not null,
  next_ordinal bigint not null default 0,
  key_count integer not null default 0 check (key_count between 0 and 10000),
  primary key (team, name)
);

create table dynamic_partitions (
  team text not null,
  name text not null,
  key text not null check (length(key) between 1 and 128),
  ordinal bigint not null,
  added_by text not null,
  added_at timestamptz not null default clock_timestamp(),
  primary key (team, name, key),
  unique (team, name, ordinal),
  foreign key (team, name) references dynamic_sets (team, name)
);
