import type { DependencyMode } from "./definitions.ts";
import type { MetadataView, ValueView } from "./gate.ts";

/*
 * What a code location says about an attempt, in the domain's words and already validated: text without NUL and lone
 * surrogates, metadata bounded, unknown enum values refused. Made by grpc/decode.
 */

export interface StepError {
  /** Stable, for example "step.threw". */
  readonly code: string;
  readonly message: string;
  readonly stack?: string;
  readonly hint?: string;
  readonly position?: { readonly file: string; readonly line: number; readonly column: number };
  readonly cause?: StepError;
}

/** The value is durable. */
export interface ComputedReport {
  /** Null: compute stored no value. */
  readonly value: ValueView | null;
  readonly dataVersion: string;
  readonly codeVersion: string;
  readonly metadata: readonly MetadataView[];
}

export interface CheckReport {
  readonly name: string;
  readonly checkVersion: number;
  readonly outcome: "passed" | "warned" | "failed" | "errored";
  readonly description: string;
  readonly metadata: readonly MetadataView[];
  readonly error?: StepError;
}

export type AttemptOutcome = "succeeded" | "failed" | "canceled" | "crashed" | "timedOut";

export interface FinishedReport {
  readonly outcome: AttemptOutcome;
  /** Present when it was computed and not reported before. */
  readonly computed?: ComputedReport;
  readonly checks: readonly CheckReport[];
  readonly error?: StepError;
  readonly retryAfterMs?: number;
  readonly permanent: boolean;
}

export type AttemptReport = {
  readonly attemptId: string;
  /** Counts from 1 within the attempt, without gaps. */
  readonly sequence: number;
  /** Unix milliseconds on the instance's clock: for display only. */
  readonly atMs: number;
  /** Of the encoded report, which is about what holding it costs; absent: next to nothing. */
  readonly sizeBytes?: number;
} & (
  | { readonly kind: "started" }
  | { readonly kind: "computed"; readonly computed: ComputedReport }
  | { readonly kind: "check"; readonly check: CheckReport }
  | {
      readonly kind: "log";
      readonly stream: "stdout" | "stderr" | "log";
      readonly body: Buffer;
      readonly droppedBytes: number;
    }
  | { readonly kind: "finished"; readonly finished: FinishedReport }
);

/** A version that a command names as input. */
export interface VersionReference {
  readonly versionId: string;
  readonly partition: string;
  readonly value: ValueView | null;
  readonly dataVersion: string;
  readonly metadata: readonly MetadataView[];
}

export interface CommandInput {
  readonly name: string;
  readonly asset: string;
  readonly mode: DependencyMode;
  readonly versions: readonly VersionReference[];
  readonly leftOut: readonly string[];
  readonly single: boolean;
}

/** One step for a location: an asset partition to compute and check, or checks of a version that exists. */
export interface StepCommand {
  readonly attemptId: string;
  readonly runId: string;
  readonly epoch: number;
  readonly attemptNumber: number;
  readonly asset: string;
  readonly partition: string;
  readonly window?: { readonly start: string; readonly end: string };
  readonly timeoutMs: number;
  readonly leaseMs: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly work:
    | {
        readonly kind: "materialize";
        readonly versionId: string;
        readonly inputs: readonly CommandInput[];
        readonly checks: readonly string[];
        /** Absent: no config was given. */
        readonly config?: unknown;
      }
    | { readonly kind: "checks"; readonly version: VersionReference; readonly checks: readonly string[] };
}

/** Several steps that one call computes: their location takes all of them or none. */
export interface ComputationCommand {
  readonly computationId: string;
  /** At least two, all of kind materialize. */
  readonly members: readonly StepCommand[];
}
