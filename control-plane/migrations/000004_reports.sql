-- What is reported by API comes from no attempt of a run: versions of external assets, and results of their checks.
alter table versions alter column run_id drop not null, alter column attempt_id drop not null,
  add constraint versions_made_or_reported check ((run_id is null) = (attempt_id is null));
alter table check_results alter column run_id drop not null, alter column attempt_id drop not null,
  add constraint check_results_run_or_reported check ((run_id is null) = (attempt_id is null));

-- External assets of a run's selection: it has no step for them, and says so.
alter table runs add column left_out text[] not null default '{}';
