-- What conditions request, in one call and one commit: whatever reacts to something waits for it.
--
-- p: { revisions: { asset: revision }, gates: { asset: epoch }, runs, steps, audit, requests, states, evaluations, events }.
-- False, and nothing is written: a state has another revision, a gate another epoch, or a run that has not ended is to make
-- one of the partitions. Locks are taken in their order: states and gates by key, the log last. Each statement sees what
-- was committed before it, so that what is compared after a lock stands until the commit.
create function request_partitions(p jsonb) returns boolean language plpgsql volatile as $$
declare
  claimed integer;
begin
  perform 1 from condition_states where asset_key in (select jsonb_object_keys(p -> 'revisions'))
    order by asset_key for no key update;
  if exists (select from jsonb_each_text(p -> 'revisions') r left join condition_states s on s.asset_key = r.key
      where s.revision is distinct from r.value::bigint) then
    return false;
  end if;
  perform 1 from asset_gate where asset_key in (select jsonb_object_keys(p -> 'gates')) order by asset_key for share;
  if exists (select from jsonb_each_text(p -> 'gates') g left join asset_gate a on a.asset_key = g.key
      where coalesce(a.epoch, 0) is distinct from g.value::bigint) then
    return false;
  end if;
  if exists (select from jsonb_to_recordset(p -> 'requests') as x (asset text, partition text)
      join steps s on s.asset_key = x.asset and s.partition_key = x.partition
      where s.ended_at is null and s.kind = 'materialize') then
    return false;
  end if;

  insert into runs (id, state, source, actor, selection, partitions, config, tags, priority, when_open, retry_of, step_count,
      left_out, team, tick_id)
    select id, 'queued', source, actor, selection, partitions, config, tags, priority, "whenOpen", "retryOf", "stepCount",
      array(select jsonb_array_elements_text("leftOut")), team, "tickId"
    from jsonb_to_recordset(p -> 'runs') as x (id uuid, source text, actor text, selection text, partitions text,
      config jsonb, tags jsonb, priority integer, "whenOpen" boolean, "retryOf" uuid, "stepCount" integer, "leftOut" jsonb,
      team text, "tickId" uuid);
  insert into steps (run_id, index, kind, asset_key, partition_key, location, state, after, edges, checks, version_id,
      computation)
    select "runId", index, kind, "assetKey", "partitionKey", location, 'waiting',
      array(select jsonb_array_elements_text(after)::integer), edges, checks, "versionId", computation
    from jsonb_to_recordset(p -> 'steps') as x ("runId" uuid, index integer, kind text, "assetKey" text,
      "partitionKey" text, location text, after jsonb, edges jsonb, checks jsonb, "versionId" uuid, computation integer);
  insert into audit (actor, action, subject, details)
    select actor, 'run.create', subject, details
    from jsonb_to_recordset(p -> 'audit') as x (actor text, subject text, details jsonb);

  insert into automation_requests (asset_key, partition_key, fingerprint, run_id, definition_hash, evaluated_at, reads)
    select asset, partition, fingerprint, run, definition, to_timestamp("evaluatedAtMs" / 1000.0), reads
    from jsonb_to_recordset(p -> 'requests') as x (asset text, partition text, fingerprint text, run uuid, definition text,
      "evaluatedAtMs" double precision, reads jsonb)
    on conflict do nothing;
  get diagnostics claimed = row_count;
  if claimed < jsonb_array_length(p -> 'requests') then
    raise exception 'the same was requested before' using errcode = 'HG002';
  end if;
  update condition_states s set revision = s.revision + 1, seq = x.seq, requested = x.requested, held = x.held
    from jsonb_to_recordset(p -> 'states') as x (asset text, seq bigint, requested jsonb, held jsonb)
    where s.asset_key = x.asset;
  insert into condition_evaluations (id, asset_key, evaluated_at, requested_count, run_id, explanation)
    select id, asset, to_timestamp("evaluatedAtMs" / 1000.0), "requestedCount", "runId", explanation
    from jsonb_to_recordset(p -> 'evaluations') as x (id uuid, asset text, "evaluatedAtMs" double precision,
      "requestedCount" integer, "runId" uuid, explanation jsonb);
  if jsonb_array_length(p -> 'events') > 0 then
    perform append_events(p -> 'events');
  end if;
  return true;
end $$;
