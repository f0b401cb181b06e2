import type { ColumnType, Generated } from "kysely";
import type { Definition, DefinitionKind } from "../domain/definitions.ts";

/*
 * The row types of `migrations/`. Times are read as Date and written as Date or left to the database; bigint columns
 * are read as number (they stay below 2^53); jsonb columns are written as text made by JSON.stringify.
 */

type Time = ColumnType<Date, Date | undefined, Date>;
type TimeOrNull = ColumnType<Date | null, Date | null | undefined, Date | null>;
type Json<T> = ColumnType<T, string | undefined, string>;
type JsonOrNull<T> = ColumnType<T | null, string | null | undefined, string | null>;
type Defaulted<T> = ColumnType<T, T | undefined, T>;

export interface DefinitionErrorRow {
  code: string;
  message: string;
  hint: string;
  file?: string;
  line?: number;
}

export interface StepErrorRow {
  code: string;
  message: string;
  stack?: string;
  hint?: string;
  position?: { file: string; line: number; column: number };
  cause?: StepErrorRow;
}

/** One metadata entry, as reported and validated at the border. */
export interface MetadataRow {
  name: string;
  /**
   * "text", "markdown", "number", "integer", "boolean", "url", "path", "timestamp", "json", "table", "tableSchema",
   * "columnLineage", "chart".
   */
  kind: string;
  /**
   * A timestamp is Unix milliseconds; a table { columns: string[], rows: scalar[][] }; a table schema { columns: [{ name,
   * type, nullable, description }] }; column lineage { columns: [{ name, sources: [{ asset, column }] }] }; a chart { type,
   * labels: string[], series: [{ name, values: (number | null)[] }] }.
   */
  value: unknown;
}

export interface ValueRow {
  scheme: string;
  place: string;
  mediaType: string;
  digest: string;
  sizeBytes: number;
}

/** What an attempt reads through one edge, pinned. */
export interface InputRow {
  name: string;
  asset: string;
  mode: "strict" | "lastValidated" | "orderOnly";
  single: boolean;
  /** `waivers`: ids of the waivers under which this version was open, and those it inherited. */
  versions: { id: string; partition: string; waivers: string[] }[];
  leftOut: string[];
}

/** An edge of a step with its mapped partitions, resolved when the run was created. */
export interface EdgeRow {
  name: string;
  asset: string;
  mode: "strict" | "lastValidated" | "orderOnly";
  /** 0: every one. */
  atLeast: number;
  single: boolean;
  /** As `formatPartitions` writes it; '' for an unpartitioned upstream. */
  partitions: string;
}

export interface Schema {
  daemons: {
    id: string;
    host: string;
    pid: number;
    process_start: Defaulted<string>;
    started_at: Time;
    renewed_at: Time;
  };
  locations: {
    name: string;
    team: string;
    address: string | null;
    state: "loading" | "healthy" | "unreachable" | "refused";
    error: JsonOrNull<DefinitionErrorRow>;
    definitions_hash: string | null;
    build_id: string | null;
    instance_id: string | null;
    pid: number | null;
    sdk_version: string | null;
    last_seen_at: TimeOrNull;
    loaded_at: TimeOrNull;
    reload_requested_at: TimeOrNull;
    removed_at: TimeOrNull;
  };
  definitions: { hash: string; kind: Definition["kind"]; body: Json<unknown>; created_at: Time };
  location_definitions: {
    location: string;
    kind: DefinitionKind;
    key: string;
    hash: string | null;
    error: JsonOrNull<DefinitionErrorRow>;
    retired_at: TimeOrNull;
    first_seen_at: Time;
  };
  established_edges: { reader: string; upstream: string; since: Time };
  dynamic_sets: { team: string; name: string; next_ordinal: Defaulted<number>; key_count: Defaulted<number> };
  dynamic_partitions: {
    team: string;
    name: string;
    key: string;
    ordinal: number;
    added_by: string;
    added_at: Time;
  };
  asset_owners: { asset_key: string; team: string; location: string | null; claimed_at: Time };
  asset_deletions: {
    asset_key: string;
    team: string;
    actor: string;
    requested_at: Time;
    versions: number;
    removed: Defaulted<number>;
    logs_partition: string | null;
    logs_run: string | null;
    done_at: TimeOrNull;
  };
  asset_renames: { old_key: string; key: string; asked_at: Time; done_at: TimeOrNull; refused_at: TimeOrNull };
  asset_gate: { asset_key: string; epoch: Defaulted<number> };
  runs: {
    id: string;
    state: "queued" | "started" | "canceling" | "succeeded" | "failed" | "blocked" | "canceled";
    source: "manual" | "schedule" | "sensor" | "automation" | "backfill" | "retry" | "api";
    actor: string;
    selection: string;
    partitions: Defaulted<string>;
    config: Json<Record<string, unknown>>;
    tags: Json<Record<string, string>>;
    priority: Defaulted<number>;
    when_open: Defaulted<boolean>;
    retry_of: string | null;
    /** External assets of the selection: the run has no step for them. */
    left_out: Defaulted<string[]>;
    step_count: number;
    created_at: Time;
    started_at: TimeOrNull;
    ended_at: TimeOrNull;
    cancel_requested_at: TimeOrNull;
    cancel_requested_by: string | null;
    driver: string | null;
    epoch: Defaulted<number>;
    /** The tick that launched it. */
    tick_id: string | null;
    /** Whose queue it stands in. */
    team: Defaulted<string>;
    /** Asked for, held, or given back since nothing of it can go on; of a run that has ended it says nothing. */
    slot: Defaulted<"wanted" | "held" | "released">;
  };
  pools: { name: string; slots: number; set_at: Time; set_by: string };
  queue_teams: { team: string; virtual_start: number };
  steps: {
    run_id: string;
    index: number;
    kind: "materialize" | "checks";
    asset_key: string;
    partition_key: Defaulted<string>;
    location: string;
    state:
      | "waiting"
      | "leased"
      | "started"
      | "retrying"
      | "unknown"
      | "succeeded"
      | "failed"
      | "blocked"
      | "skipped"
      | "canceled";
    after: Defaulted<number[]>;
    edges: Json<EdgeRow[]>;
    checks: Json<string[]>;
    version_id: string | null;
    attempts: Defaulted<number>;
    /** `Reason[]` of domain/reason.ts. */
    reasons: JsonOrNull<unknown[]>;
    error: JsonOrNull<StepErrorRow>;
    started_at: TimeOrNull;
    ended_at: TimeOrNull;
    /** Index of the first step that is computed together with this one. */
    computation: number | null;
  };
  attempts: {
    id: string;
    run_id: string;
    step_index: number;
    number: number;
    epoch: number;
    kind: "materialize" | "checks";
    asset_key: string;
    partition_key: string;
    location: string;
    instance_id: string;
    version_id: string;
    state: "leased" | "started" | "unknown" | "succeeded" | "failed" | "canceled" | "crashed" | "timedOut" | "lost";
    inputs: Json<InputRow[]>;
    sequence: Defaulted<number>;
    error: JsonOrNull<StepErrorRow>;
    leased_at: Time;
    started_at: TimeOrNull;
    ended_at: TimeOrNull;
    /** Id of the first attempt that was leased together with this one. */
    computation: string | null;
    is_whole: Defaulted<boolean>;
    /** Of whose slots it has one. */
    pool: string | null;
  };
  versions: {
    id: string;
    asset_key: string;
    partition_key: string;
    seq: number;
    /** Null: it was reported by API. */
    run_id: string | null;
    attempt_id: string | null;
    location: string;
    code_version: string;
    data_version: string;
    value: JsonOrNull<ValueRow>;
    metadata: Json<MetadataRow[]>;
    inputs: Json<InputRow[]>;
    waivers: Defaulted<string[]>;
    created_at: Time;
    discarded_at: TimeOrNull;
    discarded_by: string | null;
    discard_reason: string | null;
  };
  check_results: {
    id: string;
    version_id: string;
    asset_key: string;
    partition_key: string;
    team: string;
    name: string;
    check_version: number;
    outcome: "passed" | "warned" | "failed" | "errored";
    description: Defaulted<string>;
    metadata: Json<MetadataRow[]>;
    error: JsonOrNull<StepErrorRow>;
    /** Null: it was reported by API. */
    run_id: string | null;
    attempt_id: string | null;
    seq: number;
    created_at: Time;
  };
  waivers: {
    id: string;
    version_id: string;
    asset_key: string;
    partition_key: string;
    team: string;
    name: string;
    reason: string;
    actor: string;
    created_at: Time;
    until: Date;
    ended_at: TimeOrNull;
    ended_by: string | null;
  };
  decisions: {
    id: string;
    asset_key: string;
    partition_key: string;
    run_id: string | null;
    step_index: number | null;
    source: "run" | "automation";
    outcome: "blocked";
    /** `Reason[]` of domain/reason.ts. */
    reasons: Json<unknown[]>;
    seq: number;
    created_at: Time;
  };
  /** Schedules and sensors that were ever defined. */
  automations: {
    name: string;
    kind: "schedule" | "sensor";
    location: string;
    retired_at: TimeOrNull;
    /** Null: nobody has said, and the definition decides. */
    is_on: boolean | null;
    switched_by: string | null;
    switched_at: TimeOrNull;
    cadence: string | null;
    watermark: TimeOrNull;
    cursor: string | null;
    cursor_revision: Defaulted<number>;
    due_at: TimeOrNull;
    failures: Defaulted<number>;
    evaluated_at: TimeOrNull;
    claimed_by: string | null;
    claimed_until: TimeOrNull;
  };
  ticks: {
    id: string;
    automation: string;
    scheduled_at: TimeOrNull;
    asked_by: string | null;
    state: "requested" | "evaluated" | "launched" | "skipped" | "missed" | "failed";
    definition_hash: string;
    reason: Defaulted<string>;
    error: JsonOrNull<DefinitionErrorRow>;
    missed_count: number | null;
    missed_since: TimeOrNull;
    answer: JsonOrNull<unknown>;
    cursor_before: string | null;
    cursor_after: string | null;
    run_count: Defaulted<number>;
    daemon: string | null;
    created_at: Time;
    evaluated_at: TimeOrNull;
    ended_at: TimeOrNull;
    refused: Json<unknown[]>;
    refused_count: Defaulted<number>;
    repeated_count: Defaulted<number>;
    log: Defaulted<string>;
    log_dropped_bytes: Defaulted<number>;
    evaluation_count: Defaulted<number>;
  };
  run_keys: { sensor: string; run_key: string; run_id: string };
  automation_requests: {
    asset_key: string;
    partition_key: string;
    fingerprint: string;
    run_id: string;
    created_at: Time;
    definition_hash: Defaulted<string>;
    evaluated_at: Time;
    /** `RequestedRead[]` of storage/automation.ts. */
    reads: Json<unknown[]>;
  };
  publications: {
    asset_key: string;
    partition_key: string;
    version_id: string | null;
    published_at: TimeOrNull;
    wanted_id: string;
    daemon: string | null;
    claimed_until: TimeOrNull;
    failures: Defaulted<number>;
    retry_at: TimeOrNull;
    error: JsonOrNull<StepErrorRow>;
  };
  audit: { id: Generated<number>; at: Time; actor: string; action: string; subject: string; details: Json<unknown> };
  idempotency_keys: {
    actor: string;
    key: string;
    request_hash: string;
    status: number;
    response: Json<unknown>;
    created_at: Time;
  };
  log_chunks: {
    attempt_id: string;
    sequence: number;
    stream: "stdout" | "stderr" | "log";
    at: Time;
    body: Buffer;
    dropped_bytes: Defaulted<number>;
  };
  events: {
    seq: number;
    at: Time;
    kind: string;
    run_id: string | null;
    step_index: number | null;
    asset_key: string | null;
    partition_key: string | null;
    location: string | null;
    payload: Json<Record<string, unknown>>;
  };
}
