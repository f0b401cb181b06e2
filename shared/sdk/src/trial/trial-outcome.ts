import type { CheckCompleted, Finished, StepError } from "@headgate/proto";
import { CheckOutcome, Outcome } from "@headgate/proto";
import type { ValueReference } from "../io-manager.ts";
import type { WorkerExit } from "../load/worker-process.ts";
import type { JsonValue } from "../metadata.ts";
import { plainMetadata } from "../step/metadata-entries.ts";
import type { MetadataEntry } from "../step/metadata-entry.ts";
import type { TrialPreview } from "./scratch.ts";

/** A metadata value as the HTTP API answers it. */
export interface TrialMetadata {
  readonly name: string;
  readonly kind: string;
  readonly value: JsonValue;
}

/** Why compute or a check did not come to its end, and where in the sources. */
export interface TrialError {
  readonly code: string;
  readonly message: string;
  /** "" where there is none. */
  readonly hint: string;
  readonly stack: string;
  /** Of the first frame in the location's own code; `file` is relative to its folder. */
  readonly position: { readonly file: string; readonly line: number; readonly column: number } | undefined;
}

/** The verdict of one check in a trial. */
export interface TrialCheck {
  readonly name: string;
  readonly outcome: "passed" | "warned" | "failed" | "errored";
  readonly description: string;
  readonly metadata: readonly TrialMetadata[];
  readonly error: TrialError | undefined;
}

/** What came of a trial. Nothing of it is recorded. */
export interface TrialOutcome {
  /** "succeeded": it computed and every check reached a verdict, whichever. */
  readonly outcome: "succeeded" | "failed" | "canceled" | "timedOut" | "crashed";
  readonly error: TrialError | undefined;
  /** Undefined where nothing was stored. */
  readonly value: ValueReference | undefined;
  /** True where the IO manager has no scratch form: the value was kept in memory. */
  readonly inMemory: boolean;
  /** What a person is shown of the value. */
  readonly preview: TrialMetadata | undefined;
  readonly metadata: readonly TrialMetadata[];
  readonly checks: readonly TrialCheck[];
}

const outcomes: Readonly<Partial<Record<Outcome, TrialOutcome["outcome"]>>> = {
  [Outcome.OUTCOME_SUCCEEDED]: "succeeded",
  [Outcome.OUTCOME_CANCELED]: "canceled",
  [Outcome.OUTCOME_TIMED_OUT]: "timedOut",
};

export const noOutcome: Omit<TrialOutcome, "outcome" | "error" | "checks"> = {
  value: undefined,
  inMemory: false,
  preview: undefined,
  metadata: [],
};

export function outcomeOf(finished: Finished, preview: TrialPreview | undefined): TrialOutcome {
  const { computed } = finished;
  const value = computed?.value;
  return {
    outcome: outcomes[finished.outcome] ?? "failed",
    error: errorOf(finished.error),
    value: value === undefined || value.scheme === "" ? undefined : value,
    inMemory: preview?.inMemory ?? false,
    preview: preview?.value && metadataOf([preview.value])[0],
    metadata: metadataOf(computed?.metadata ?? []),
    checks: finished.checks.map(checkOf),
  };
}

const checkOutcomes: Readonly<Partial<Record<CheckOutcome, TrialCheck["outcome"]>>> = {
  [CheckOutcome.CHECK_OUTCOME_PASSED]: "passed",
  [CheckOutcome.CHECK_OUTCOME_WARNED]: "warned",
  [CheckOutcome.CHECK_OUTCOME_FAILED]: "failed",
};

export function checkOf({ name, outcome, description, metadata, error }: CheckCompleted): TrialCheck {
  return {
    name,
    outcome: checkOutcomes[outcome] ?? "errored",
    description,
    metadata: metadataOf(metadata),
    error: errorOf(error),
  };
}

function metadataOf(entries: readonly MetadataEntry[]): TrialMetadata[] {
  const plain = plainMetadata(entries);
  return entries.map(({ name, value }) => {
    const kind = value?.$case ?? "text";
    return { name, kind: kind === "timestampMs" ? "timestamp" : kind, value: plain[name] ?? null };
  });
}

function errorOf(error: StepError | undefined): TrialError | undefined {
  if (error === undefined) return undefined;
  const { code, message, hint, stack, position } = error;
  return { code, message, hint, stack, position };
}

export function crashError(outcome: TrialOutcome["outcome"], { code, signal }: WorkerExit): TrialError {
  const how = signal === null ? `with exit code ${code}` : `by signal ${signal}`;
  const message =
    outcome === "crashed"
      ? `The process that computed ended ${how}.`
      : "It did not end by itself within 5 s of being told to, so its process was killed.";
  const hint = outcome === "crashed" ? "What it wrote last is above." : "Pass `signal` on to whatever takes long.";
  return {
    code: `step.${outcome === "timedOut" ? "timed_out" : outcome}`,
    message,
    hint,
    stack: "",
    position: undefined,
  };
}
