import type {
  CheckCompleted,
  ComputationCommand,
  Computed,
  Definition,
  DefinitionError,
  Finished,
  LogStream,
  EvaluateRequest,
  EvaluateResponse,
  PublishRequest,
  StepCommand,
  StepError,
} from "@headgate/proto";

import type { PlannedTrial } from "../trial/plan-trial.ts";
import type { TrialPreview } from "../trial/scratch.ts";

// What the serving process and its worker processes say to each other over Node's IPC channel. The messages of a step
// have the shape of the wire already, so that the serving process only numbers and forwards them.

/** What a worker has to know to import a location's code. */
export interface BundleReference {
  /** Absolute path of the bundle's entry. */
  readonly entry: string;
  /** Absolute path of the location's folder; sources are named relative to it. */
  readonly folder: string;
  /** Hashes of the location's own source files, by absolute path. */
  readonly sourceHashes: Readonly<Record<string, string>>;
  readonly entrySource: string;
}

export type AbortReason = "canceled" | "timedOut";

export type ToWorker =
  | { readonly kind: "load"; readonly bundle: BundleReference }
  | { readonly kind: "describe" }
  | { readonly kind: "probe"; readonly modules: readonly { readonly source: string; readonly file: string }[] }
  | { readonly kind: "step"; readonly command: StepCommand }
  /** `attemptId`: of this call, for what is said about it. */
  | { readonly kind: "publish"; readonly attemptId: string; readonly request: PublishRequest }
  /** `attemptId`: of this call. */
  | { readonly kind: "evaluate"; readonly attemptId: string; readonly request: EvaluateRequest }
  /** Several attempts, each of which ends with a `finished` of its own. */
  | { readonly kind: "computation"; readonly command: ComputationCommand }
  /** A debugger must be attached before anything goes on: `inspecting` says where. */
  | { readonly kind: "inspect" }
  | {
      readonly kind: "planTrial";
      readonly assetKey: string;
      readonly partition: string | undefined;
      readonly nowMs: number;
    }
  /** As `step`, with values in a folder and without timeouts of checks where a debugger holds them up. */
  | { readonly kind: "try"; readonly command: StepCommand; readonly folder: string; readonly inspected: boolean }
  | { readonly kind: "abort"; readonly attemptId: string; readonly reason: AbortReason }
  | { readonly kind: "exit" };

/** A definition as the worker found it: encoded by the serving process, or an error. */
export interface DescribedEntry {
  readonly kind: "asset" | "check" | "schedule" | "sensor" | "module";
  readonly key: string;
  readonly definition?: Definition;
  readonly error?: DefinitionError;
}

/** Why a module could not be imported. */
export interface LoadProblem {
  readonly error: StepError;
  /** Absolute path of the source file whose top level threw; undefined when the stack does not say. */
  readonly culprit: string | undefined;
}

export interface CapturedLog {
  readonly stream: LogStream;
  readonly body: Uint8Array;
}

/** A check that is being judged. */
export interface StartedCheck {
  readonly name: string;
  readonly checkVersion: number;
}

export type FromWorker =
  | { readonly kind: "loaded" }
  | { readonly kind: "loadFailed"; readonly problem: LoadProblem }
  | {
      readonly kind: "described";
      readonly team: string;
      readonly entries: readonly DescribedEntry[];
      readonly missingVariables: readonly string[];
    }
  | { readonly kind: "probing"; readonly source: string }
  | { readonly kind: "probed"; readonly problem: LoadProblem | undefined; readonly source: string | undefined }
  | { readonly kind: "secrets"; readonly values: readonly string[] }
  | { readonly kind: "inspecting"; readonly url: string }
  | { readonly kind: "trialPlanned"; readonly planned: PlannedTrial }
  /** What the value of a trial looks like; before `finished`. */
  | { readonly kind: "previewed"; readonly attemptId: string; readonly preview: TrialPreview }
  | { readonly kind: "started"; readonly attemptId: string }
  | { readonly kind: "logs"; readonly attemptId: string; readonly logs: readonly CapturedLog[] }
  /** One message: a version is not told without the verdicts that nobody can reach again. */
  | {
      readonly kind: "computed";
      readonly attemptId: string;
      readonly computed: Computed;
      readonly verdicts: readonly CheckCompleted[];
    }
  /** It has a timeout of its own, which the worker cannot keep while the check holds its event loop. */
  | {
      readonly kind: "checkStarted";
      readonly attemptId: string;
      /** Several: one function judges them together. */
      readonly checks: readonly StartedCheck[];
      readonly timeoutMs: number;
    }
  | { readonly kind: "checkCompleted"; readonly attemptId: string; readonly check: CheckCompleted }
  | {
      readonly kind: "finished";
      readonly attemptId: string;
      readonly logs: readonly CapturedLog[];
      readonly finished: Finished;
      /** The process ends now: it takes no other attempt. */
      readonly isLast: boolean;
    }
  | {
      readonly kind: "evaluated";
      readonly attemptId: string;
      readonly response: EvaluateResponse;
      readonly isLast: boolean;
    }
  | {
      readonly kind: "published";
      readonly attemptId: string;
      readonly error: StepError | undefined;
      readonly isLast: boolean;
    };
