import type { Answer, Routes } from "../../../control-plane/src/http/contract.ts";

/*
 * How each state of the API looks: a tone (a colour token), and a glyph whose shape says the same without colour. The
 * word is the API's own name in plain words, so that what a page says can be typed on the command line.
 */
export type Tone = "passed" | "failed" | "blocked" | "running" | "warning" | "idle" | "unknown";

export type Glyph =
  | "check"
  | "octagon"
  | "lock"
  | "arc"
  | "triangle"
  | "clock"
  | "ring"
  | "bars"
  | "dot"
  | "question"
  | "unlocked"
  | "slash";

export interface StatusLook {
  readonly tone: Tone;
  readonly glyph: Glyph;
}

const look = (tone: Tone, glyph: Glyph): StatusLook => ({ tone, glyph });

export type PartitionStatus = Answer<Routes["getAsset"]>["status"];
export type RunState = Answer<Routes["getRun"]>["state"];
type StepAnswer = Answer<Routes["listSteps"]>["items"][number];
export type StepState = StepAnswer["state"];
export type AttemptState = NonNullable<StepAnswer["lastAttempt"]>["state"];
export type VersionState = Answer<Routes["getVersion"]>["state"];
export type LocationState = Answer<Routes["getLocation"]>["state"];
export type CheckOutcome = NonNullable<Answer<Routes["listChecks"]>["items"][number]["latest"]>["outcome"];
export type Forecast = Answer<Routes["plan"]>["steps"][number]["forecast"];

export const partitionLooks: Readonly<Record<PartitionStatus, StatusLook>> = {
  materializing: look("running", "arc"),
  failed: look("failed", "octagon"),
  errored: look("failed", "octagon"),
  computeFailed: look("failed", "slash"),
  blocked: look("blocked", "lock"),
  pending: look("warning", "clock"),
  waived: look("warning", "unlocked"),
  warned: look("warning", "triangle"),
  passed: look("passed", "check"),
  unchecked: look("passed", "ring"),
  neverMaterialized: look("idle", "dot"),
};

export const runLooks: Readonly<Record<RunState, StatusLook>> = {
  queued: look("idle", "ring"),
  started: look("running", "arc"),
  canceling: look("warning", "clock"),
  succeeded: look("passed", "check"),
  failed: look("failed", "octagon"),
  blocked: look("blocked", "lock"),
  canceled: look("idle", "slash"),
};

export const stepLooks: Readonly<Record<StepState, StatusLook>> = {
  waiting: look("idle", "ring"),
  leased: look("running", "ring"),
  started: look("running", "arc"),
  retrying: look("warning", "clock"),
  unknown: look("unknown", "question"),
  succeeded: look("passed", "check"),
  failed: look("failed", "octagon"),
  blocked: look("blocked", "lock"),
  skipped: look("idle", "bars"),
  canceled: look("idle", "slash"),
};

export const attemptLooks: Readonly<Record<AttemptState, StatusLook>> = {
  leased: look("running", "ring"),
  started: look("running", "arc"),
  unknown: look("unknown", "question"),
  succeeded: look("passed", "check"),
  failed: look("failed", "octagon"),
  canceled: look("idle", "slash"),
  crashed: look("failed", "slash"),
  timedOut: look("failed", "clock"),
  lost: look("failed", "question"),
};

export const versionLooks: Readonly<Record<VersionState, StatusLook>> = {
  unchecked: partitionLooks.unchecked,
  pending: partitionLooks.pending,
  passed: partitionLooks.passed,
  failed: partitionLooks.failed,
  errored: partitionLooks.errored,
  waived: partitionLooks.waived,
};

export const locationLooks: Readonly<Record<LocationState, StatusLook>> = {
  loading: look("running", "arc"),
  healthy: look("passed", "check"),
  unreachable: look("unknown", "question"),
  refused: look("failed", "octagon"),
};

export const outcomeLooks: Readonly<Record<CheckOutcome, StatusLook>> = {
  passed: partitionLooks.passed,
  warned: partitionLooks.warned,
  failed: partitionLooks.failed,
  errored: partitionLooks.errored,
};

export const forecastLooks: Readonly<Record<Forecast, StatusLook>> = {
  runs: look("running", "check"),
  waits: look("idle", "ring"),
  blocked: look("blocked", "lock"),
};

/** `computeFailed` as people read it: "compute failed". */
export function inWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
