import type { Reason } from "./reason.ts";
import { reasonText } from "./reason-text.ts";
import { type QueueRules, shareOf, teamRule } from "./run-queue.ts";

/** Why a run does not start, or a step does not go on. */
export type Wait =
  | { readonly kind: "noDaemon" }
  | { readonly kind: "maxRuns"; readonly held: number; readonly limit: number }
  | { readonly kind: "teamMaxRuns"; readonly team: string; readonly held: number; readonly limit: number }
  /** `runs`: some of those that hold a slot under this limit. */
  | {
      readonly kind: "tagLimit";
      readonly tag: string;
      readonly held: number;
      readonly limit: number;
      readonly runs: readonly string[];
    }
  /** So many runs of its team are more urgent, or older. */
  | { readonly kind: "behind"; readonly team: string; readonly ahead: number }
  /** No slot is free, and its team has its share of them. */
  | { readonly kind: "share"; readonly team: string; readonly held: number; readonly share: number }
  /** Nothing keeps it: it goes on with the next look of a daemon. */
  | { readonly kind: "next" }
  | { readonly kind: "retry"; readonly attempts: number }
  | { readonly kind: "location"; readonly location: string; readonly state: string; readonly lastSeenMs?: number }
  /** Another run is at the same partition, or checks the same version. */
  | { readonly kind: "attempt"; readonly run: string; readonly about: string }
  | { readonly kind: "gate"; readonly reasons: readonly Reason[] }
  | { readonly kind: "pool"; readonly pool: string; readonly slots: number; readonly holders: readonly PoolSlot[] }
  | { readonly kind: "worker"; readonly location: string; readonly inFlight: number };

export interface PoolSlot {
  readonly run: string;
  /** "team/asset", or with its partition. */
  readonly about: string;
}

/** Where a run that asks for a slot stands. */
export interface PlaceInLine {
  readonly team: string;
  /** Daemons that are alive. */
  readonly daemons: number;
  /** Runs of its team that ask for a slot before it. */
  readonly ahead: number;
  /** Runs that hold a slot, and those that ask for one, by team. */
  readonly teams: readonly { readonly team: string; readonly held: number; readonly asking: number }[];
  /** The limits that concern the run, each with those that hold a slot under it. */
  readonly limits: readonly {
    readonly tag: string;
    readonly limit: number;
    readonly held: number;
    readonly runs: readonly string[];
  }[];
}

/** Why a run that asks for a slot has none; all that is so, the farthest reaching first. */
export function queueWaits(rules: QueueRules, place: PlaceInLine): Wait[] {
  const { team, daemons, ahead, teams, limits } = place;
  if (daemons === 0) return [{ kind: "noDaemon" }];
  const waits: Wait[] = [];
  const total = teams.reduce((sum, { held }) => sum + held, 0);
  const held = teams.find((other) => other.team === team)?.held ?? 0;
  const { maxRuns = Infinity } = rules;
  const { maxRuns: teamMax = Infinity } = teamRule(rules, team);
  if (total >= maxRuns) waits.push({ kind: "maxRuns", held: total, limit: maxRuns });
  if (held >= teamMax) waits.push({ kind: "teamMaxRuns", team, held, limit: teamMax });
  for (const { tag, limit, held: tagged, runs } of limits) {
    if (tagged >= limit) waits.push({ kind: "tagLimit", tag, held: tagged, limit, runs });
  }
  if (ahead > 0) waits.push({ kind: "behind", team, ahead });
  const sharing = teams.filter((other) => other.held > 0 || other.asking > 0).map((other) => other.team);
  const share = shareOf(rules, sharing, team);
  if (total >= maxRuns && held >= share && sharing.length > 1) waits.push({ kind: "share", team, held, share });
  return waits.length === 0 ? [{ kind: "next" }] : waits;
}

/** What is known of a step that waits, and for which no other step of its run has to end. */
export interface StepFacts {
  readonly retrying: boolean;
  readonly attempts: number;
  readonly location: {
    readonly name: string;
    readonly state: string;
    readonly lastSeenMs?: number;
    readonly inFlight: number;
  };
  /** An attempt of another run at the same partition. */
  readonly inTheWay?: PoolSlot;
  /** Of its gate: nothing if it is open. */
  readonly reasons: readonly Reason[];
  /** Of a pool with a limit. */
  readonly pool?: {
    readonly name: string;
    readonly slots: number;
    readonly held: number;
    readonly holders: readonly PoolSlot[];
  };
  /** Of its run; undefined: it holds a slot. */
  readonly queue?: readonly Wait[];
}

/** Why a step waits: what keeps it first, in the order in which the drive looks. */
export function stepWaits(facts: StepFacts): Wait[] {
  const { retrying, attempts, location, inTheWay, reasons, pool, queue } = facts;
  const waits: Wait[] = [];
  if (retrying) waits.push({ kind: "retry", attempts });
  if (reasons.length > 0) waits.push({ kind: "gate", reasons });
  if (inTheWay !== undefined) waits.push({ kind: "attempt", ...inTheWay });
  if (location.state !== "healthy") {
    const { name, state, lastSeenMs } = location;
    waits.push({ kind: "location", location: name, state, ...(lastSeenMs === undefined ? {} : { lastSeenMs }) });
  }
  if (pool !== undefined && pool.held >= pool.slots) {
    waits.push({ kind: "pool", pool: pool.name, slots: pool.slots, holders: pool.holders });
  }
  if (waits.length > 0) return waits;
  // A run that can go on asks for its slot only then.
  if (queue !== undefined) return [...queue];
  if (location.inFlight > 0) return [{ kind: "worker", location: location.name, inFlight: location.inFlight }];
  return [{ kind: "next" }];
}

/** One sentence without a full stop. */
export function waitText(wait: Wait): string {
  switch (wait.kind) {
    case "noDaemon":
      return "no daemon is running: nothing is started until one is";
    case "maxRuns":
      return `${runsText(wait.held)} a slot, of ${wait.limit} in all`;
    case "teamMaxRuns":
      return `${runsText(wait.held)} a slot in team ${wait.team}, of ${wait.limit}`;
    case "tagLimit":
      return `${runsText(wait.held)} a slot with tag ${wait.tag}, of ${wait.limit}`;
    case "behind":
      return `${wait.ahead} ${wait.ahead === 1 ? "run" : "runs"} of team ${wait.team} ${wait.ahead === 1 ? "is" : "are"} before it, by priority and age`;
    case "share":
      return `team ${wait.team} holds ${wait.held}, and its share is ${String(Math.round(wait.share * 10) / 10)}`;
    case "next":
      return "nothing keeps it: it is next";
    case "retry":
      return `it is tried again after a delay; tried ${wait.attempts} ${wait.attempts === 1 ? "time" : "times"} so far`;
    case "location":
      return `code location ${wait.location} is ${wait.state}`;
    case "attempt":
      return `run ${wait.run} is at ${wait.about}`;
    case "gate":
      return wait.reasons.map(reasonText).join("; ");
    case "pool":
      return `pool ${wait.pool} has ${wait.slots} ${wait.slots === 1 ? "slot" : "slots"}, held by ${wait.holders.map(({ about, run }) => `${about} (run ${run})`).join(", ")}`;
    case "worker":
      return `it waits for a worker of ${wait.location}, where ${wait.inFlight} ${wait.inFlight === 1 ? "step is" : "steps are"} in flight`;
  }
}

function runsText(count: number): string {
  return count === 1 ? "1 run holds" : `${count} runs hold`;
}

/** The command that shows more; "" where there is none. */
export function waitCommand(wait: Wait): string {
  switch (wait.kind) {
    case "maxRuns":
    case "teamMaxRuns":
    case "tagLimit":
    case "behind":
    case "share":
      return "npx headgate queue";
    case "location":
      return `npx headgate location show ${wait.location}`;
    case "attempt":
      return `npx headgate run show ${wait.run}`;
    case "pool":
      return `npx headgate pool show ${wait.pool}`;
    case "gate":
      return wait.reasons[0] === undefined
        ? ""
        : `npx headgate why ${wait.reasons[0].asset}${partitionOption(wait.reasons[0].partition)}`;
    case "noDaemon":
    case "next":
    case "retry":
    case "worker":
      return "";
  }
}

function partitionOption(partition: string): string {
  return partition === "" ? "" : ` --partition ${partition}`;
}
