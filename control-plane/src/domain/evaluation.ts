import type { AssetKey } from "@headgate/model";
import type { StepError } from "./attempt-report.ts";

/** A sensor that its location is to evaluate. */
export interface Evaluation {
  readonly sensor: string;
  /** JSON; undefined: it has none yet. */
  readonly cursor: string | undefined;
  /** For user code; then it is aborted in the location. */
  readonly timeoutMs: number;
  readonly nowMs: number;
}

/** A run that an evaluation asks for. */
export interface RequestedRun {
  /** Undefined: whoever asks again gets another run. */
  readonly runKey?: string;
  /** None: all that the sensor may ask for. */
  readonly targets: readonly AssetKey[];
  /** As `parsePartitions` reads them; "": every partition there is. */
  readonly partitions: string;
  /** By asset key. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface AddedPartitions {
  readonly set: string;
  readonly keys: readonly string[];
}

/** What a location answered, validated; user code that failed is an answer too. */
export type EvaluationAnswer = { readonly log: EvaluationLog } & (
  | { readonly kind: "failed"; readonly error: StepError }
  | {
      readonly kind: "answered";
      readonly requests: readonly RequestedRun[];
      readonly addPartitions: readonly AddedPartitions[];
      /** JSON; undefined: it stays. */
      readonly cursor: string | undefined;
      readonly skipReason: string;
    }
);

/** What user code printed and logged. */
export interface EvaluationLog {
  readonly text: string;
  readonly droppedBytes: number;
}

/** At most so many runs are asked for at once. */
export const requestsMax = 1_000;
