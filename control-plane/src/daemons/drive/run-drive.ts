import { setTimeout as delay } from "node:timers/promises";
import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { AttemptReport, FinishedReport } from "../../domain/attempt-report.ts";
import { type Run, type RunStep } from "../../domain/run-state.ts";
import {
  claimRuns,
  readCancelRequests,
  readClosed,
  readEnded,
  readInFlight,
  readPins,
  readSteps,
} from "../../storage/claim-runs.ts";
import { type FlushResult, driveFlush, isEmptyFlush } from "../../storage/drive-flush.ts";
import { isDatabaseUnavailable, isFenced, isTransient } from "../../storage/failure.ts";
import { definitionsGate } from "../../storage/bump-gate.ts";
import { GateMemory } from "../gate-memory.ts";
import { adoptRun, assetsOf, pinInputs, rebuildCommand } from "./adopt.ts";
import type { Attempt } from "./attempt.ts";
import { Cycle } from "./cycle.ts";
import { DriveState, type DriveWorld } from "./drive-state.ts";
import { endUnleased, evaluate } from "./evaluate.ts";
import type { DriveSession } from "./lane.ts";
import { settle, takeReport } from "./settle.ts";

/** What a flush has appended to the log: sequence numbers `first` to `last`. */
export interface Appended {
  readonly first: number;
  readonly last: number;
  readonly assets: readonly AssetKey[];
}

export interface RunDriveOptions {
  readonly pool: pg.Pool;
  /** One connection of its own for the hot path: its plans stay warm, and nobody is before it in a queue. */
  readonly flushPool: Pick<pg.Pool, "query">;
  /** This daemon's incarnation: its row in `daemons`. */
  readonly daemon: string;
  readonly world: DriveWorld;
  /** Called after each commit. */
  readonly committed: (appended: Appended) => void;
  /**
   * This incarnation is over: its row is gone, or nobody knows whether its last flush was or will be committed. What
   * goes on is another incarnation, after the row is deleted: from then on no flush of this one can commit.
   */
  readonly fenced: () => void;
  /** A lease was refused since the definitions are newer than the graph: make it newest, then `definitionsChanged`. */
  readonly graphIsOld: () => void;
  readonly failed: (error: unknown) => void;
  /** Instances that are proven gone; kept beyond this drive, for attempts that are adopted later. */
  readonly exited: Set<string>;
  /** Runs driven at once, at most. */
  readonly runsMax?: number;
}

/** How long a lost session may come back before its attempts are shown as unknown. */
const unknownAfterMs = 3_000;
const cancelGraceMs = 10_000;
/** After a flush that the database refused, so many reports are stored one by one, so that the culprit is found. */
const reportsAloneAfterRefusal = 1_000;
const refusalDelayMsMax = 2_000;
/** Evaluations one cycle makes at most; the rest waits for the next, so that results are not kept waiting. */
const evaluationsPerCycle = 5_000;

/**
 * Drives the runs of one daemon: takes in what locations say, moves steps, asks gates, leases, and writes all of it in
 * one commit a cycle. It holds everything in memory and trusts the database alone: when a flush fails, memory is
 * dropped, runs are claimed again and sessions resume by sequence numbers, exactly as after a restart.
 */
export class RunDrive {
  readonly #options: RunDriveOptions;
  readonly #drive: DriveState;
  #busy = false;
  #again = false;
  #stopped = false;
  /** Grows when memory is dropped: what was under way for the old one is ignored. */
  #generation = 0;
  /** Reports that are to be stored each in a flush of its own. */
  #reportsAlone = 0;
  /** Flushes that the database refused, one after the other. */
  #refusals = 0;
  readonly #poisoned = new Set<string>();
  #claiming: Promise<void> | undefined;
  #claimAgain = false;
  readonly #claimed = new Map<string, () => void>();
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: RunDriveOptions) {
    this.#options = options;
    this.#drive = new DriveState(options.world, new GateMemory(options.pool));
  }

  /** Runs in memory that have not ended. */
  get activeRuns(): number {
    return this.#drive.runs.size;
  }

  start(): void {
    this.#sweeper = setInterval(() => this.#sweep(), 500);
    this.claim();
  }

  /** Stops driving; what is in flight goes on in its locations and is adopted by whoever claims the runs next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#sweeper);
    await this.#claiming;
    while (this.#busy) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Ends the sessions that report here: their next greeting goes to whoever drives then. */
  abandonSessions(): void {
    for (const lane of this.#drive.lanes.values()) lane.session?.close();
  }

  // Sessions -------------------------------------------------------------------------------------------------------

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
    const unsent: Attempt[] = [];
    for (const attempt of this.#drive.attempts.at(location)) {
      if (attempt.instanceId !== instanceId) {
        attempt.lostAtMs ??= this.#drive.world.monotonic();
        continue;
      }
      attempt.lostAtMs = undefined;
      if (!attempt.committed) continue; // Its command goes out after the commit.
      if (attempt.step.state.phase === "unknown") this.#regained.add(attempt);
      if (!holds.has(attempt.id)) unsent.push(attempt);
      else if (attempt.run.canceling) session.send({ cancels: [{ attemptId: attempt.id, graceMs: cancelGraceMs }] });
    }
    if (unsent.length > 0) void this.#resend(unsent, session);
    this.pump();
  }

  readonly #regained = new Set<Attempt>();

  /** Commands whose row is committed and that the instance has not received: the row is the outbox. */
  async #resend(attempts: readonly Attempt[], session: DriveSession): Promise<void> {
    const generation = this.#generation;
    try {
      const assets = attempts.flatMap((a) => [a.step.spec.asset, ...a.inputs.map((input) => input.asset as AssetKey)]);
      await this.#drive.memory.load(assets);
    } catch (error) {
      this.#options.failed(error);
      return;
    }
    if (generation !== this.#generation) return;
    for (const attempt of attempts) {
      attempt.command ??= rebuildCommand(this.#drive, attempt, this.#drive.memory);
      if (attempt.command !== undefined) {
        session.send({ commands: [attempt.command] });
        if (attempt.run.canceling) session.send({ cancels: [{ attemptId: attempt.id, graceMs: cancelGraceMs }] });
      } else this.#settleLater(attempt, crashed("attempt.input_gone", "What it was to read is gone.", "Run it again."));
    }
  }

  reports(location: string, instanceId: string, reports: readonly AttemptReport[]): void {
    const lane = this.#drive.lane(location);
    if (lane.instanceId !== instanceId) return;
    lane.take(reports);
    this.pump();
  }

  credits(location: string, instanceId: string, credits: number): void {
    const lane = this.#drive.lane(location);
    if (lane.instanceId === instanceId) lane.credits = credits;
    this.pump();
  }

  /** Commands that the instance did not take. */
  refused(
    location: string,
    _instanceId: string,
    refused: readonly { attemptId: string; reason: "oldEpoch" | "tombstoned" | "noCapacity" }[],
  ): void {
    for (const { attemptId, reason } of refused) {
      const attempt = this.#drive.attempts.get(attemptId);
      if (attempt === undefined) continue;
      if (reason === "noCapacity") {
        const session = this.#drive.lane(location).session;
        setTimeout(() => {
          if (this.#drive.attempts.get(attemptId) !== attempt || attempt.command === undefined) return;
          if (this.#drive.lane(location).session === session) session?.send({ commands: [attempt.command] });
        }, 200).unref();
      } else if (reason === "tombstoned") {
        const hint = "It is tried again if its retry policy allows it.";
        this.#settleLater(attempt, crashed("attempt.ended_there", "Its instance says that it ended before.", hint));
      }
    }
  }

  sessionClosed(location: string, instanceId: string): void {
    const lane = this.#drive.lane(location);
    if (lane.instanceId !== instanceId) return;
    lane.session = undefined;
    lane.forgetReports();
    const nowMs = this.#drive.world.monotonic();
    for (const attempt of this.#drive.attempts.at(location)) {
      if (attempt.instanceId === instanceId) attempt.lostAtMs ??= nowMs;
    }
  }

  /** The instance and all its workers are proven to be gone: its attempts settle at once. */
  instanceExited(location: string, instanceId: string): void {
    this.#options.exited.add(instanceId);
    this.sessionClosed(location, instanceId);
    this.#settleExited(location);
  }

  #settleExited(location: string): void {
    for (const attempt of this.#drive.attempts.at(location)) {
      if (!this.#options.exited.has(attempt.instanceId)) continue;
      const message = `The process of code location ${location} ended while the attempt was in flight.`;
      this.#settleLater(attempt, crashed("attempt.location_exited", message, `headgate location show ${location}`));
    }
  }

  // What others have done ------------------------------------------------------------------------------------------

  /** Somebody else recorded something of these assets. */
  changed(assets: Iterable<AssetKey>): void {
    for (const asset of assets) {
      this.#drive.memory.forget(asset);
      this.#drive.touch(asset);
    }
    this.pump();
  }

  /** The graph has changed: every sleeping step is looked at again, on what the database says. */
  definitionsChanged(): void {
    this.#drive.memory.clear();
    this.#drive.touchAll();
    for (const lane of this.#drive.lanes.values()) this.#requeue(lane.ready.splice(0));
    this.pump();
  }

  #requeue(steps: readonly { run: Run; step: RunStep }[]): void {
    for (const { run, step } of steps) this.#drive.dirty.set(step, run);
  }

  /** Looks for runs to drive, and for cancellations. */
  claim(): void {
    if (this.#claiming !== undefined) {
      this.#claimAgain = true;
      return;
    }
    this.#claiming = this.#claimAll()
      .catch((error: unknown) => this.#options.failed(error))
      .finally(() => {
        this.#claiming = undefined;
        if (this.#claimAgain && !this.#stopped) {
          this.#claimAgain = false;
          this.claim();
        }
      });
  }

  async #claimAll(): Promise<void> {
    const { pool, daemon, runsMax = 500 } = this.#options;
    if (this.#stopped) return;
    const generation = this.#generation;
    const room = runsMax - this.#drive.runs.size;
    const claimed = room <= 0 ? [] : await claimRuns(pool, daemon, Math.min(room, 100), [...this.#drive.runs.keys()]);
    if (claimed.length > 0) {
      const ids = claimed.map((run) => run.id);
      const [steps, attempts, pins, closed] = await Promise.all([
        readSteps(pool, ids),
        readInFlight(pool, ids),
        readPins(pool, ids),
        readClosed(pool, ids),
      ]);
      if (generation !== this.#generation) return; // Memory was dropped: they are claimed again.
      const runs = claimed.map((run) =>
        adoptRun(
          this.#drive,
          run,
          steps.filter((step) => step.run_id === run.id),
          attempts.filter((attempt) => attempt.run_id === run.id),
          pins.filter((pin) => pin.run_id === run.id),
          closed.has(run.id),
        ),
      );
      this.#endFinished(runs);
      for (const run of claimed) if (run.cancelRequested) this.#cancel(run.id);
      // Who launches a run may count on all that was committed before.
      await this.#drive.memory.revalidate([...new Set(runs.flatMap((run) => assetsOf(this.#drive, run)))]);
      if (attempts.length > 0) this.#reconcile(new Set(attempts.map((attempt) => attempt.location)));
      this.pump();
      if (claimed.length === 100) this.#claimAgain = true;
    }
    for (const id of await readCancelRequests(pool, daemon)) this.#cancel(id);
  }

  /** Attempts adopted while their location's session is open already: a new greeting tells what became of them. */
  #reconcile(locations: ReadonlySet<string>): void {
    for (const location of locations) {
      this.#settleExited(location);
      this.#drive.lane(location).session?.close();
    }
  }

  /** A run whose driver died between its last step's end and its own has nothing left to do but to end. */
  #endFinished(runs: readonly Run[]): void {
    for (const run of runs) if (run.open === 0) this.#unfinished.add(run);
  }

  readonly #unfinished = new Set<Run>();

  #cancel(id: string): void {
    const run = this.#drive.runs.get(id);
    if (run === undefined || run.canceling) return;
    run.canceling = true;
    this.#canceling.add(run);
    this.pump();
  }

  readonly #canceling = new Set<Run>();

  // The cycle ------------------------------------------------------------------------------------------------------

  /** Wakes the loop; what arrives while a flush is under way forms the next one. */
  pump(): void {
    if (this.#busy || this.#stopped) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    void this.#loop().finally(() => {
      this.#busy = false;
      if (this.#again && !this.#stopped) this.pump();
    });
  }

  async #loop(): Promise<void> {
    do {
      this.#again = false;
      const cycle = new Cycle(this.#options.daemon);
      try {
        this.#compose(cycle);
        const result = isEmptyFlush(cycle.flush) ? undefined : await driveFlush(this.#options.flushPool, cycle.flush);
        this.#act(cycle, result);
      } catch (error) {
        await this.#recover(error, cycle);
      }
    } while (this.#again && !this.#stopped);
  }

  /** Everything that is known now, in one flush. */
  #compose(cycle: Cycle): void {
    const drive = this.#drive;
    for (const { attempt, finished } of this.#settlements.splice(0)) {
      if (drive.attempts.get(attempt.id) === attempt) settle(drive, cycle, attempt, finished, "lost");
    }
    this.#composeContact(cycle);
    this.#composeCancellations(cycle);
    for (const run of this.#unfinished) {
      if (drive.runs.has(run.id)) drive.endRun(cycle, run);
    }
    this.#unfinished.clear();
    const alone = this.#reportsAlone > 0;
    let taken = 0;
    for (const lane of drive.lanes.values()) {
      if (alone && taken > 0) break;
      for (const report of lane.next(alone ? 1 : undefined)) {
        taken++;
        this.#take(cycle, lane.instanceId, report);
      }
    }
    if (alone) this.#reportsAlone -= taken;
    for (const lane of drive.lanes.values()) {
      const free = drive.freeCredits(lane);
      if (free > 0 && lane.ready.length > 0) this.#requeue(lane.ready.splice(0, free));
      if (lane.hasReports) this.#again = true;
    }
    this.#evaluate(cycle);
  }

  #take(cycle: Cycle, instanceId: string, report: AttemptReport): void {
    const attempt = this.#drive.attempts.get(report.attemptId);
    if (attempt === undefined || attempt.instanceId !== instanceId) {
      this.#strays.set(report.attemptId, Math.max(report.sequence, this.#strays.get(report.attemptId) ?? 0));
      return;
    }
    if (this.#poisoned.has(attempt.id) && report.kind !== "started") {
      // What it says cannot be stored. Its word that it has ended still counts; the rest is passed over.
      if (report.kind !== "finished") {
        attempt.sequence = Math.max(attempt.sequence, report.sequence);
        cycle.flush.progress.push({ id: attempt.id, sequence: attempt.sequence });
        cycle.acknowledged.add(attempt);
        return;
      }
      this.#poisoned.delete(attempt.id);
      this.#reportsAlone = 0;
      takeReport(this.#drive, cycle, attempt, { ...report, finished: unstorable });
      return;
    }
    takeReport(this.#drive, cycle, attempt, report);
  }

  /** Reports about attempts that this driver does not hold: acknowledged once the database says that they have ended. */
  readonly #strays = new Map<string, number>();

  async #acknowledgeStrays(): Promise<void> {
    const strays = new Map(this.#strays);
    this.#strays.clear();
    const ended = await readEnded(this.#options.pool, [...strays.keys()]);
    const acknowledgements = ended.map((attemptId) => ({ attemptId, sequence: strays.get(attemptId) ?? 0 }));
    if (acknowledgements.length === 0) return;
    for (const lane of this.#drive.lanes.values()) lane.session?.send({ acknowledgements });
  }

  #composeContact(cycle: Cycle): void {
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

  #composeCancellations(cycle: Cycle): void {
    const drive = this.#drive;
    for (const run of this.#canceling) {
      if (!drive.runs.has(run.id)) continue;
      cycle.flush.runs.push({ id: run.id, state: "canceling", ended: false });
      for (const step of run.steps) {
        if (step.state.phase === "waiting" || step.state.phase === "retrying") {
          endUnleased(drive, cycle, run, step, "canceled");
          continue;
        }
        const attempt = drive.attempts.ofStep(step);
        if (attempt === undefined) continue;
        drive.lane(attempt.location).session?.send({ cancels: [{ attemptId: attempt.id, graceMs: cancelGraceMs }] });
      }
    }
    this.#canceling.clear();
  }

  #evaluate(cycle: Cycle): void {
    const drive = this.#drive;
    const load = new Map<RunStep, Run>();
    const assets = new Set<AssetKey>();
    let count = 0;
    // Ending a step makes its dependents dirty: they are seen in the same pass.
    for (const [step, run] of drive.dirty) {
      if (count++ >= evaluationsPerCycle) {
        this.#again = true;
        break;
      }
      drive.dirty.delete(step);
      if (!drive.runs.has(run.id)) continue;
      const missing = evaluate(drive, cycle, run, step);
      if (missing.length === 0) continue;
      load.set(step, run);
      for (const asset of missing) assets.add(asset);
    }
    if (load.size > 0) void this.#load(load, () => drive.memory.load([...assets]));
    if (drive.unconfirmed.size > 0) {
      const steps = new Map(drive.unconfirmed);
      drive.unconfirmed.clear();
      const doubtful = new Set([...steps.values()].flatMap((step) => step.assets));
      const runs = new Map([...steps].map(([step, { run }]) => [step, run]));
      void this.#load(runs, async () => {
        await drive.memory.revalidate([...doubtful]);
        for (const step of steps.keys()) drive.confirmed.add(step);
      });
    }
  }

  /** Reads what steps need to be judged by, then looks at them again. */
  async #load(steps: ReadonlyMap<RunStep, Run>, read: () => Promise<void>): Promise<void> {
    const generation = this.#generation;
    try {
      await read();
    } catch (error) {
      this.#options.failed(error);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    if (generation !== this.#generation) return;
    for (const [step, run] of steps) this.#drive.dirty.set(step, run);
    this.pump();
  }

  /** After the commit: remember what it made of our words, then send. */
  #act(cycle: Cycle, result: FlushResult | undefined): void {
    const drive = this.#drive;
    if (result !== undefined) {
      const stale = new Set(result.stale as AssetKey[]);
      this.#refusals = 0;
      this.#remember(cycle, result, stale);
      // The definitions have moved on: nothing is leased before the graph has, too.
      const graphIsOld = stale.delete(definitionsGate as AssetKey);
      if (graphIsOld) this.#options.graphIsOld();
      for (const asset of stale) {
        drive.memory.forget(asset);
        drive.touch(asset);
      }
      this.#actOnLeases(cycle, new Set(result.granted), stale, graphIsOld);
    }
    this.#acknowledge(cycle);
    for (const { run, step, delayMs } of cycle.retries) this.#retryLater(run, step, delayMs);
    for (const run of cycle.endedRuns) drive.runs.delete(run.id);
    if (cycle.endedRuns.length > 0) {
      const closedRuns = cycle.endedRuns.map((run) => run.id);
      for (const lane of drive.lanes.values()) lane.session?.send({ closedRuns });
      this.claim(); // There is room now.
    }
    if (this.#strays.size > 0) void this.#acknowledgeStrays().catch((error: unknown) => this.#options.failed(error));
    if (cycle.endedAttempts.length > 0) this.#again = true;
    if (result !== undefined) this.#tell(cycle, result);
  }

  /** Brings memory to what was committed. An entry that was read anew meanwhile may lack it: it is read once more. */
  #remember(cycle: Cycle, result: FlushResult, stale: Set<AssetKey>): void {
    const { memory } = this.#drive;
    for (const [asset, entry] of cycle.written) {
      if (entry === undefined || memory.entryOf(asset) !== entry) stale.add(asset);
    }
    for (const { asset, version, event } of cycle.versions) {
      memory.setSeq(asset, version.partition, version.id, result.base + event);
    }
    for (const asset of cycle.written.keys()) {
      const epoch = result.epochs[asset];
      if (epoch !== undefined && !stale.has(asset)) memory.setEpoch(asset, epoch);
    }
  }

  #tell(cycle: Cycle, result: FlushResult): void {
    const last = result.base + cycle.flush.events.length + result.granted.length;
    const assets = new Set<AssetKey>();
    for (const event of cycle.flush.events) if (event.assetKey !== undefined) assets.add(event.assetKey as AssetKey);
    this.#options.committed({ first: result.base + 1, last, assets: [...assets] });
  }

  #actOnLeases(
    cycle: Cycle,
    granted: ReadonlySet<string>,
    stale: ReadonlySet<AssetKey>,
    graphIsOld: boolean,
  ): void {
    const drive = this.#drive;
    for (const { attempt, pins } of cycle.leases) {
      if (!granted.has(attempt.id)) for (const pin of pins) attempt.run.pins.delete(pin);
    }
    for (const { attempt, entry } of cycle.leases) {
      const { run, step } = attempt;
      if (granted.has(attempt.id)) {
        attempt.committed = true;
        pinInputs(run, attempt.inputs); // Where it shared a pin with a lease that was refused.
        const lane = drive.lane(attempt.location);
        const { command } = attempt;
        if (lane.instanceId === attempt.instanceId && command !== undefined) lane.session?.send({ commands: [command] });
        if (lane.session === undefined) attempt.lostAtMs ??= drive.world.monotonic();
        continue;
      }
      drive.attempts.remove(attempt);
      step.state = { ...step.state, phase: "waiting", attempts: step.state.attempts - 1 };
      if (graphIsOld) drive.sleep(run, step, [step.spec.asset]);
      else if (entry.gateAssets.some((asset) => stale.has(asset as AssetKey))) {
        drive.dirty.set(step, run);
        this.#again = true;
      } else {
        // Another daemon computes this partition, or checks this version: look again when it has ended.
        drive.sleep(run, step, [step.spec.asset]);
      }
    }
  }

  #acknowledge(cycle: Cycle): void {
    const byLocation = new Map<string, { attemptId: string; sequence: number }[]>();
    for (const { id, location, sequence, instanceId } of cycle.acknowledged) {
      if (this.#drive.lane(location).instanceId !== instanceId) continue;
      const list = byLocation.get(location) ?? [];
      list.push({ attemptId: id, sequence });
      byLocation.set(location, list);
    }
    for (const [location, acknowledgements] of byLocation) {
      this.#drive.lane(location).session?.send({ acknowledgements });
    }
  }

  #retryLater(run: Run, step: RunStep, delayMs: number): void {
    const generation = this.#generation;
    setTimeout(() => {
      if (generation !== this.#generation || step.state.phase !== "retrying") return;
      step.state = { ...step.state, phase: "waiting" };
      this.#drive.dirty.set(step, run);
      this.pump();
    }, delayMs).unref();
  }

  // What goes wrong ------------------------------------------------------------------------------------------------

  readonly #settlements: { attempt: Attempt; finished: FinishedReport }[] = [];
  readonly #newlyUnknown = new Set<Attempt>();

  #settleLater(attempt: Attempt, finished: FinishedReport): void {
    this.#settlements.push({ attempt, finished });
    this.pump();
  }

  /** Twice a second: attempts without contact, gates that waited too long, everybody who sleeps once in a while. */
  #sweep(): void {
    const drive = this.#drive;
    const nowMs = drive.world.monotonic();
    for (const attempt of drive.attempts.all()) {
      if (attempt.lostAtMs === undefined) continue;
      const lostMs = nowMs - attempt.lostAtMs;
      if (lostMs > attempt.leaseMs) {
        const message = `No contact with code location ${attempt.location} for ${attempt.leaseMs} ms.`;
        this.#settleLater(attempt, crashed("attempt.lost", message, `headgate location show ${attempt.location}`));
      } else if (lostMs > unknownAfterMs && attempt.step.state.phase !== "unknown") {
        this.#newlyUnknown.add(attempt);
        this.pump();
      }
    }
    this.#sweeps++;
    // Time opens and shuts gates as well, and other daemons end attempts: a slow look behind every hint.
    if (this.#sweeps % 4 === 0) {
      drive.touchAll();
      this.claim();
      if (drive.dirty.size > 0) this.pump();
    }
  }

  #sweeps = 0;

  async #recover(error: unknown, cycle: Cycle): Promise<void> {
    this.#generation++;
    if (!isFenced(error)) this.#options.failed(error);
    if (isFenced(error) || isDatabaseUnavailable(error)) {
      this.#stopped = true;
      this.#drive.clear();
      this.#options.fenced();
      return;
    }
    if (!isTransient(error)) {
      // Something in it cannot be stored. Alone in its flush it is known; else look for it one by one.
      const [only, ...others] = cycle.acknowledged;
      if (this.#reportsAlone > 0 && only !== undefined && others.length === 0) this.#poisoned.add(only.id);
      this.#reportsAlone = reportsAloneAfterRefusal;
    }
    this.#drive.clear();
    this.#settlements.length = 0;
    this.#newlyUnknown.clear();
    this.#regained.clear();
    this.#canceling.clear();
    this.#unfinished.clear();
    await delay(Math.min(10 * 2 ** this.#refusals++, refusalDelayMsMax));
    for (const lane of this.#drive.lanes.values()) lane.session?.close();
    this.claim();
  }
}

function crashed(code: string, message: string, hint: string): FinishedReport {
  return { outcome: "crashed", checks: [], error: { code, message, hint }, permanent: false };
}

const unstorable: FinishedReport = {
  outcome: "failed",
  checks: [],
  permanent: true,
  error: {
    code: "report.not_storable",
    message: "What the attempt reported could not be stored; the database refused it.",
    hint: "Look at its metadata, its check results and its value reference.",
  },
};
