import type { AssetKey } from "@headgate/model";
import type { AttemptReport, FinishedReport } from "../../domain/attempt-report.ts";
import { rebuildCommand } from "./adopt.ts";
import type { Attempt } from "./attempt.ts";
import { type Computation, isLead } from "./computation.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import type { DriveSession } from "./lane.ts";
import { sendCommands } from "./send-commands.ts";
import { settle } from "./settle.ts";

/** How long a lost session may come back before its attempts are shown as unknown. */
const unknownAfterMs = 3_000;
/** Between the abort signal and the kill. */
export const cancelGraceMs = 10_000;
const noCapacityRetryMs = 200;
/** How long beyond its timeout, or the grace of a cancel, an attempt may be in ending by itself. */
const overdueMs = 20_000;

export interface InstanceContactOptions {
  readonly drive: DriveState;
  /** Instances that are proven gone; kept beyond this drive, for attempts that are adopted later. */
  readonly exited: Set<string>;
  readonly pump: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Contact with the instances that compute: sessions that open and close, commands that did not arrive, attempts whose
 * fate is unknown until their instance speaks again, is proven gone, or has been silent for the length of their lease.
 */
export class InstanceContact {
  readonly #options: InstanceContactOptions;
  readonly #drive: DriveState;
  readonly #regained = new Set<Attempt>();
  readonly #newlyUnknown = new Set<Attempt>();
  /** Attempts whose command is about to be sent again for want of capacity. */
  readonly #refused = new Set<Attempt | Computation<Attempt>>();
  readonly #settlements: { attempt: Attempt; finished: FinishedReport }[] = [];

  constructor(options: InstanceContactOptions) {
    this.#options = options;
    this.#drive = options.drive;
  }

  /** The attempts that a new session's greeting names, with what is stored of them. */
  inFlight(location: string): { attemptId: string; sequence: number }[] {
    return [...this.#drive.attempts.at(location)]
      .filter((attempt) => attempt.committed)
      .map(({ id, sequence }) => ({ attemptId: id, sequence }));
  }

  sessionOpened(
    location: string,
    instanceId: string,
    session: DriveSession,
    credits: number,
    held: readonly { attemptId: string; finished: boolean }[],
  ): void {
    const lane = this.#drive.lane(location);
    lane.forgetReports();
    lane.session = session;
    lane.instanceId = instanceId;
    lane.credits = credits;
    const holds = new Set(held.map((attempt) => attempt.attemptId));
    const unsent = new Map<Attempt | Computation<Attempt>, Attempt[]>();
    for (const attempt of this.#drive.attempts.at(location)) {
      if (attempt.instanceId !== instanceId) {
        attempt.lostAtMs ??= this.#drive.world.monotonic();
        continue;
      }
      attempt.lostAtMs = undefined;
      attempt.computation?.forgetHeld();
      if (!attempt.committed) continue; // Its command goes out after the commit.
      if (attempt.step.state.phase === "unknown") this.#regained.add(attempt);
      const sent = attempt.computation ?? attempt;
      if (!holds.has(attempt.id)) unsent.set(sent, [...(unsent.get(sent) ?? []), attempt]);
      else if (attempt.run.canceling) session.send({ cancels: [{ attemptId: attempt.id, graceMs: cancelGraceMs }] });
    }
    const whole = [...unsent.values()].filter((attempts) => this.#isWhole(attempts));
    if (whole.length > 0) void this.#resend(whole, session);
    this.#options.pump();
  }

  /** What one call computes is sent as a whole or not at all: what is left of it was there, and is no more. */
  #isWhole(attempts: readonly Attempt[]): boolean {
    const [first] = attempts;
    if (first?.computation === undefined || attempts.length === first.computation.size) return true;
    const message = `Code location ${first.location} holds a part of what one call computes, and not this one.`;
    for (const attempt of attempts) {
      const hint = "It is tried again if its retry policy allows it.";
      this.#settleLater(attempt, crashed("attempt.part_gone", message, hint));
    }
    return false;
  }

  /** Commands whose row is committed and that the instance has not received: the row is the outbox. */
  async #resend(unsent: readonly (readonly Attempt[])[], session: DriveSession): Promise<void> {
    const { generation } = this.#drive;
    try {
      const assets = unsent
        .flat()
        .flatMap((a) => [a.step.spec.asset, ...a.inputs.map((input) => input.asset as AssetKey)]);
      await this.#drive.memory.load(assets);
    } catch (error) {
      this.#options.failed(error);
      return;
    }
    if (generation !== this.#drive.generation) return;
    for (const attempts of unsent) {
      for (const attempt of attempts) attempt.command ??= rebuildCommand(this.#drive, attempt, this.#drive.memory);
      // What has ended meanwhile is not begun anew, nor is what would be computed with it.
      const current = attempts.filter((attempt) => this.#drive.attempts.get(attempt.id) === attempt);
      if (current.length === 0 || !this.#isWhole(current)) continue;
      const [first] = current;
      if (first !== undefined && current.every(({ command }) => command !== undefined)) {
        sendCommands(session, current);
        if (first.run.canceling) session.send({ cancels: [{ attemptId: first.id, graceMs: cancelGraceMs }] });
        continue;
      }
      const gone = crashed("attempt.input_gone", "What it was to read is gone.", "Run it again.");
      for (const attempt of current) this.#settleLater(attempt, gone);
    }
  }

  /** Commands that the instance did not take. */
  refused(
    location: string,
    instanceId: string,
    refused: readonly { attemptId: string; reason: "oldEpoch" | "tombstoned" | "noCapacity" }[],
  ): void {
    for (const { attemptId, reason } of refused) {
      const attempt = this.#drive.attempts.get(attemptId);
      if (attempt?.location !== location || attempt.instanceId !== instanceId) continue;
      if (reason === "noCapacity") {
        this.#sendLater(attempt);
      } else if (reason === "tombstoned") {
        const hint = "It is tried again if its retry policy allows it.";
        this.#settleLater(attempt, crashed("attempt.ended_there", "Its instance says that it ended before.", hint));
      }
    }
  }

  /** Sends a command again that was refused for want of capacity. */
  #sendLater(attempt: Attempt): void {
    const { computation } = attempt;
    const refused = computation ?? attempt;
    if (this.#refused.has(refused)) return;
    this.#refused.add(refused);
    const lane = this.#drive.lane(attempt.location);
    const { session } = lane;
    setTimeout(() => {
      this.#refused.delete(refused);
      if (session === undefined || lane.session !== session) return;
      const attempts = computation === undefined ? [attempt] : [...computation.attempts];
      const isThere = computation?.isComplete ?? this.#drive.attempts.get(attempt.id) === attempt;
      if (isThere && attempts.every(({ command }) => command !== undefined)) sendCommands(session, attempts);
    }, noCapacityRetryMs).unref();
  }

  sessionClosed(location: string, instanceId: string): void {
    const lane = this.#drive.lane(location);
    if (lane.instanceId !== instanceId) return;
    lane.session = undefined;
    lane.forgetReports();
    const nowMs = this.#drive.world.monotonic();
    for (const attempt of this.#drive.attempts.at(location)) {
      if (attempt.instanceId !== instanceId) continue;
      attempt.lostAtMs ??= nowMs;
      attempt.computation?.forgetHeld();
    }
  }

  /** The instance and all its workers are proven to be gone: its attempts settle at once. */
  instanceExited(location: string, instanceId: string): void {
    this.#options.exited.add(instanceId);
    this.sessionClosed(location, instanceId);
    this.settleExited(location);
  }

  /** Ends the attempts of instances that are proven gone. */
  settleExited(location: string): void {
    for (const attempt of this.#drive.attempts.at(location)) {
      if (!this.#options.exited.has(attempt.instanceId)) continue;
      const message = `The process of code location ${location} ended while the attempt was in flight.`;
      this.#settleLater(attempt, crashed("attempt.location_exited", message, `headgate location show ${location}`));
    }
  }

  reports(location: string, instanceId: string, reports: readonly AttemptReport[]): void {
    const lane = this.#drive.lane(location);
    if (lane.instanceId !== instanceId) return;
    lane.take(reports);
    this.#options.pump();
  }

  credits(location: string, instanceId: string, credits: number): void {
    const lane = this.#drive.lane(location);
    if (lane.instanceId === instanceId) lane.credits = credits;
    this.#options.pump();
  }

  /** Ends the sessions that report here: their next greeting goes to whoever drives then. */
  abandonSessions(): void {
    for (const lane of this.#drive.lanes.values()) lane.session?.close();
  }

  /** Looks at the clock: who was lost too long is unknown, and who stays so, or is overdue, is given up. */
  sweep(): void {
    const nowMs = this.#drive.world.monotonic();
    for (const attempt of this.#drive.attempts.all()) {
      if (attempt.lostAtMs === undefined) {
        this.#giveUpOverdue(attempt, nowMs);
        continue;
      }
      const lostMs = nowMs - attempt.lostAtMs;
      if (lostMs > attempt.leaseMs) {
        const message = `No contact with code location ${attempt.location} for ${attempt.leaseMs} ms.`;
        this.#settleLater(attempt, crashed("attempt.lost", message, `headgate location show ${attempt.location}`));
      } else if (lostMs > unknownAfterMs && attempt.step.state.phase !== "unknown") {
        this.#newlyUnknown.add(attempt);
        this.#options.pump();
      }
    }
  }

  /** An instance that answers and does not end what it must end is told once more, and its word is waited for no longer. */
  #giveUpOverdue(attempt: Attempt, nowMs: number): void {
    const { timeoutMs = 0 } = attempt.command ?? {};
    const { location } = attempt;
    if (attempt.run.canceling) {
      attempt.canceledAtMs ??= nowMs;
      if (nowMs - attempt.canceledAtMs < cancelGraceMs + overdueMs) return;
      const message = `Code location ${location} was told to cancel the step and did not say that it ended.`;
      this.#settleLater(attempt, ended("canceled", "attempt.cancel_ignored", message, location));
    } else {
      if (timeoutMs === 0 || nowMs - attempt.sinceMs < timeoutMs + overdueMs) return;
      const message = `The step ran into its timeout of ${timeoutMs} ms, and code location ${location} did not end it.`;
      this.#settleLater(attempt, ended("timedOut", "attempt.overdue", message, location));
    }
    if (!isLead(attempt)) return;
    this.#drive.lane(location).session?.send({ cancels: [{ attemptId: attempt.id, graceMs: 0 }] });
  }

  #settleLater(attempt: Attempt, finished: FinishedReport): void {
    this.#settlements.push({ attempt, finished });
    this.#options.pump();
  }

  /** Writes what has become known since the last cycle. */
  compose(cycle: Cycle): void {
    for (const { attempt, finished } of this.#settlements.splice(0)) {
      if (this.#drive.attempts.get(attempt.id) === attempt) {
        settle(this.#drive, cycle, attempt, finished, finished.outcome === "crashed" ? "lost" : "reported");
      }
    }
    for (const attempt of this.#regained) {
      const { run, step } = attempt;
      if (step.state.phase !== "unknown") continue;
      this.#drive.transition(cycle, run, step, { kind: "contactRegained", started: attempt.started });
      const state = attempt.started ? "started" : "leased";
      cycle.flush.progress.push({ id: attempt.id, state, sequence: attempt.sequence });
      cycle.stepEvent(run, step, "step_regained", { attempt: attempt.id });
    }
    this.#regained.clear();
    for (const attempt of this.#newlyUnknown) {
      const { run, step } = attempt;
      if (attempt.lostAtMs === undefined || this.#drive.attempts.get(attempt.id) !== attempt) continue;
      if (step.state.phase === "unknown") continue;
      this.#drive.transition(cycle, run, step, { kind: "contactLost" });
      cycle.flush.progress.push({ id: attempt.id, state: "unknown", sequence: attempt.sequence });
      cycle.stepEvent(run, step, "step_unknown", { attempt: attempt.id });
    }
    this.#newlyUnknown.clear();
  }

  clear(): void {
    this.#settlements.length = 0;
    this.#newlyUnknown.clear();
    this.#regained.clear();
  }
}

function crashed(code: string, message: string, hint: string): FinishedReport {
  return { outcome: "crashed", checks: [], error: { code, message, hint }, permanent: false };
}

function ended(outcome: "canceled" | "timedOut", code: string, message: string, location: string): FinishedReport {
  const hint = `It may still compute there: headgate location show ${location}`;
  return { outcome, checks: [], error: { code, message, hint }, permanent: false };
}
