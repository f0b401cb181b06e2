-- A key whose location was released: its team keeps it, and the next location of the team that defines it claims it.
alter table asset_owners alter column location drop not null;
