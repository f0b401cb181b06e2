import type pg from "pg";
import type { Reason } from "../domain/reason.ts";
import type { RunPhase } from "../domain/run-state.ts";
import type { StepPhase } from "../domain/step-state.ts";
import type { stepRow } from "./create-run.ts";
import type { InputRow, MetadataRow, Schema, StepErrorRow, ValueRow } from "./schema.ts";

type AttemptState = Schema["attempts"]["state"];

/** One event of the log; see append_events. */
export interface EventEntry {
  readonly kind: string;
  readonly runId?: string;
  readonly stepIndex?: number;
  readonly assetKey?: string;
  readonly partitionKey?: string;
  readonly location?: string;
  readonly payload?: Record<string, unknown>;
}

export interface VersionEntry {
  readonly id: string;
  readonly assetKey: string;
  readonly partitionKey: string;
  /** 1-based index into `events` of the event that records it. */
  readonly event: number;
  readonly runId: string;
  readonly attemptId: string;
  readonly location: string;
  readonly codeVersion: string;
  readonly dataVersion: string;
  readonly value: ValueRow | null;
  readonly metadata: readonly MetadataRow[];
  readonly inputs: readonly InputRow[];
  readonly waivers: readonly string[];
}

export interface ResultEntry {
  readonly id: string;
  readonly versionId: string;
  readonly assetKey: string;
  readonly partitionKey: string;
  readonly team: string;
  readonly name: string;
  readonly checkVersion: number;
  readonly outcome: "passed" | "warned" | "failed" | "errored";
  readonly description: string;
  readonly metadata: readonly MetadataRow[];
  readonly error: StepErrorRow | null;
  readonly runId: string;
  readonly attemptId: string;
  readonly event: number;
}

export interface LeaseEntry {
  readonly id: string;
  readonly runId: string;
  readonly stepIndex: number;
  readonly number: number;
  readonly epoch: number;
  readonly kind: "materialize" | "checks";
  readonly assetKey: string;
  readonly partitionKey: string;
  readonly location: string;
  readonly instanceId: string;
  readonly versionId: string;
  readonly inputs: readonly InputRow[];
  /** The assets whose gates it stands on: a stale one refuses the lease. */
  readonly gateAssets: readonly string[];
  /** Leases that name the same are granted all or none. */
  readonly computation?: string;
  /** The versions of its computation are recorded together or not at all. */
  readonly isWhole?: boolean;
  /** The pool of whose slots it takes one, and the place in line for it. */
  readonly pool?: string;
  readonly priority?: number;
  readonly createdAtMs?: number;
}

/** What one flush writes; see drive_flush in migrations/000013_pools.sql. */
export interface Flush {
  readonly daemon: string;
  readonly gates: Record<string, number>;
  readonly bumps: string[];
  readonly ended: { id: string; state: AttemptState; error: StepErrorRow | null; sequence: number }[];
  readonly progress: { id: string; state?: AttemptState; sequence: number; instanceId?: string }[];
  readonly logs: {
    attemptId: string;
    sequence: number;
    stream: string;
    atMs: number;
    body: string;
    droppedBytes: number;
  }[];
  readonly versions: VersionEntry[];
  readonly results: ResultEntry[];
  readonly newSteps: ReturnType<typeof stepRow>[];
  readonly steps: {
    runId: string;
    index: number;
    state: StepPhase;
    error?: StepErrorRow;
    reasons?: readonly Reason[];
    versionId?: string;
    ended: boolean;
  }[];
  readonly runs: { id: string; state: RunPhase; ended: boolean }[];
  readonly decisions: {
    id: string;
    assetKey: string;
    partitionKey: string;
    runId: string | null;
    stepIndex: number | null;
    source: "run" | "automation";
    reasons: readonly Reason[];
    event: number;
  }[];
  readonly leases: LeaseEntry[];
  /** Of the leases. */
  readonly pools: string[];
  readonly events: EventEntry[];
  readonly leaseEvents: (EventEntry & { leaseId: string })[];
}

export interface FlushResult {
  /** The sequence number before this flush's first event. */
  readonly base: number;
  /** Attempts whose lease was granted. */
  readonly granted: string[];
  /** Leases that were not, since their pool had no slot. */
  readonly full: string[];
  /** Gate epochs after this flush. */
  readonly epochs: Record<string, number>;
  /** Assets whose gate has moved under somebody else's hand. */
  readonly stale: string[];
}

export function emptyFlush(daemon: string): Flush {
  return {
    daemon,
    gates: {},
    bumps: [],
    ended: [],
    progress: [],
    logs: [],
    versions: [],
    results: [],
    newSteps: [],
    steps: [],
    runs: [],
    decisions: [],
    leases: [],
    pools: [],
    events: [],
    leaseEvents: [],
  };
}

/** True when there is nothing to write: gates are only compared. */
export function isEmptyFlush(flush: Flush): boolean {
  return Object.values(flush).every((part) => !Array.isArray(part) || part.length === 0);
}

/** One durable commit. Throws with SQLSTATE HG001 when this daemon's row is gone: it is fenced. */
export async function driveFlush(pool: Pick<pg.Pool, "query">, flush: Flush): Promise<FlushResult> {
  const present = Object.fromEntries(
    Object.entries(flush).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
  );
  const { rows } = await pool.query<{ result: FlushResult }>({
    name: "drive_flush",
    text: "select drive_flush($1) as result",
    values: [JSON.stringify(present)],
  });
  const row = rows[0];
  if (row === undefined) throw new Error("drive_flush returned no row");
  return row.result;
}

export const fencedState = "HG001";
