import { setTimeout as delay } from "node:timers/promises";
import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { Run, RunStep } from "../../domain/run-state.ts";
import { type FlushResult, driveFlush, isEmptyFlush } from "../../storage/drive-flush.ts";
import { isDatabaseUnavailable, isFenced, isTransient } from "../../storage/failure.ts";
import { GateMemory } from "../gate-memory.ts";
import { acknowledge, actOnCommit } from "./after-commit.ts";
import { Cycle } from "./cycle.ts";
import { DriveState, type DriveWorld } from "./drive-state.ts";
import { evaluate } from "./evaluate.ts";
import { InstanceContact } from "./instance-contact.ts";
import { ReportIntake } from "./report-intake.ts";
import { RunClaims } from "./run-claims.ts";

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
  /** Makes the graph as new as everything that was committed. */
  readonly refreshGraph: () => Promise<void>;
  readonly failed: (error: unknown) => void;
  /** Instances that are proven gone; kept beyond this drive, for attempts that are adopted later. */
  readonly exited: Set<string>;
}

const refusalDelayMsMax = 2_000;
/** Evaluations one cycle makes at most; the rest waits for the next, so that results are not kept waiting. */
const evaluationsPerCycle = 5_000;
const sweepEveryMs = 500;
/** Every so many sweeps everybody who sleeps looks again: time opens and shuts gates as well. */
const sweepsPerLook = 4;

/**
 * Drives the runs of one daemon: takes in what locations say, moves steps, asks gates, leases, and writes all of it in
 * one commit a cycle. It holds everything in memory and trusts the database alone: when a flush fails, memory is
 * dropped, runs are claimed again and sessions resume by sequence numbers, exactly as after a restart.
 */
export class RunDrive {
  readonly #options: RunDriveOptions;
  readonly #drive: DriveState;
  readonly #intake: ReportIntake;
  readonly #claims: RunClaims;
  /** Sessions report here. */
  readonly contact: InstanceContact;
  #busy = false;
  #again = false;
  #stopped = false;
  /** Flushes that the database refused, one after the other. */
  #refusals = 0;
  #sweeps = 0;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: RunDriveOptions) {
    const { pool, daemon, world, exited, failed } = options;
    this.#options = options;
    this.#drive = new DriveState(world, new GateMemory(pool));
    const drive = this.#drive;
    const pump = () => this.pump();
    this.#intake = new ReportIntake(drive);
    this.contact = new InstanceContact({ drive, exited, pump, failed });
    this.#claims = new RunClaims({ pool, daemon, drive, contact: this.contact, pump, failed });
  }

  /** Runs in memory that have not ended. */
  get activeRuns(): number {
    return this.#drive.runs.size;
  }

  /** True if steps of this location can be commanded from here now. */
  reaches(location: string): boolean {
    return this.#drive.lanes.get(location)?.session !== undefined;
  }

  start(): void {
    this.#sweeper = setInterval(() => this.#sweep(), sweepEveryMs);
    this.claim();
  }

  /** Stops driving; what is in flight goes on in its locations and is adopted by whoever claims the runs next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#sweeper);
    await this.#claims.stop();
    while (this.#busy) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Looks for runs to drive, and for cancellations. */
  claim(): void {
    if (!this.#stopped) this.#claims.claim();
  }

  /** Somebody else recorded something of these assets. */
  changed(assets: Iterable<AssetKey>): void {
    for (const asset of assets) {
      this.#drive.memory.forget(asset);
      this.#drive.touch(asset);
      // Another daemon may have given a slot back.
      const pool = this.#drive.world.graph().asset(asset)?.definition.pool;
      if (pool !== undefined) this.#drive.callNext(pool, true);
    }
    this.pump();
  }

  /** Pools have other limits: whoever is next in line asks again. */
  poolsChanged(): void {
    for (const pool of this.#drive.pools.pools) this.#drive.callNext(pool, true);
    this.pump();
  }

  /** The graph has changed: every sleeping step is looked at again, on what the database says. */
  definitionsChanged(): void {
    this.#drive.memory.clear();
    this.#drive.touchAll();
    for (const lane of this.#drive.lanes.values()) this.#requeue(lane.ready.splice(0));
    this.#requeue(this.#drive.pools.takeAll());
    this.pump();
  }

  #requeue(steps: readonly { run: Run; step: RunStep }[]): void {
    for (const { run, step } of steps) this.#drive.dirty.set(step, run);
  }

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
    this.contact.compose(cycle);
    this.#claims.compose(cycle);
    if (this.#intake.compose(cycle)) this.#again = true;
    for (const lane of drive.lanes.values()) {
      const free = drive.freeCredits(lane);
      if (free > 0 && lane.ready.length > 0) this.#requeue(lane.takeReady(free));
    }
    this.#evaluate(cycle);
    if (drive.slots.takeAsked()) this.claim();
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
      const missing = drive.runs.has(run.id) ? evaluate(drive, cycle, run, step) : [];
      // Called for a slot of a pool, and it does not ask for one: its turn is another's.
      const passedOver = drive.pools.looked(step);
      if (passedOver !== undefined) drive.callNext(passedOver.pool, passedOver.fills);
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
        if ([...steps.values()].some(({ graph }) => graph === true)) await this.#options.refreshGraph();
        await drive.memory.revalidate([...doubtful]);
        for (const [step, { graph }] of steps) (graph === true ? drive.lookedAgain : drive.confirmed).add(step);
      });
    }
  }

  /** Reads what steps need to be judged by, then looks at them again. */
  async #load(steps: ReadonlyMap<RunStep, Run>, read: () => Promise<void>): Promise<void> {
    const { generation } = this.#drive;
    try {
      await read();
    } catch (error) {
      this.#options.failed(error);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    if (generation !== this.#drive.generation) return;
    for (const [step, run] of steps) this.#drive.dirty.set(step, run);
    this.pump();
  }

  /** Persist, then act. */
  #act(cycle: Cycle, result: FlushResult | undefined): void {
    const drive = this.#drive;
    if (result !== undefined) {
      this.#refusals = 0;
      if (actOnCommit(drive, cycle, result).graphIsOld) this.#options.graphIsOld();
    }
    acknowledge(drive, cycle);
    for (const { run, step, delayMs } of cycle.retries) this.#retryLater(run, step, delayMs);
    for (const run of cycle.endedRuns) drive.runs.delete(run.id);
    if (cycle.endedRuns.length > 0) {
      const closedRuns = cycle.endedRuns.map((run) => run.id);
      for (const lane of drive.lanes.values()) lane.session?.send({ closedRuns });
      this.claim(); // There is room now.
    }
    void this.#intake.acknowledgeStrays(this.#options.pool).catch((error: unknown) => this.#options.failed(error));
    if (cycle.endedAttempts.length > 0 || drive.dirty.size > 0) this.#again = true;
    if (result !== undefined) this.#tell(cycle, result);
  }

  #tell(cycle: Cycle, result: FlushResult): void {
    const last = result.base + cycle.flush.events.length + result.granted.length;
    const assets = new Set<AssetKey>();
    for (const event of cycle.flush.events) if (event.assetKey !== undefined) assets.add(event.assetKey as AssetKey);
    this.#options.committed({ first: result.base + 1, last, assets: [...assets] });
  }

  #retryLater(run: Run, step: RunStep, delayMs: number): void {
    const { generation } = this.#drive;
    setTimeout(() => {
      if (generation !== this.#drive.generation || step.state.phase !== "retrying") return;
      step.state = { ...step.state, phase: "waiting" };
      this.#drive.dirty.set(step, run);
      this.pump();
    }, delayMs).unref();
  }

  /** Twice a second: attempts without contact; now and then everybody who sleeps, behind every hint. */
  #sweep(): void {
    this.contact.sweep();
    if (++this.#sweeps % sweepsPerLook !== 0) return;
    this.#drive.slots.look(this.#drive.runs, this.#drive.busyRuns());
    this.#drive.touchAll();
    for (const pool of this.#drive.pools.pools) this.#drive.callNext(pool, true);
    this.claim();
    if (this.#drive.dirty.size > 0) this.pump();
  }

  async #recover(error: unknown, cycle: Cycle): Promise<void> {
    const drive = this.#drive;
    drive.clear();
    this.contact.clear();
    this.#claims.clear();
    if (!isFenced(error)) this.#options.failed(error);
    if (isFenced(error) || isDatabaseUnavailable(error)) {
      this.#stopped = true;
      this.#options.fenced();
      return;
    }
    if (!isTransient(error)) this.#intake.refused(cycle);
    await delay(Math.min(10 * 2 ** this.#refusals++, refusalDelayMsMax));
    for (const lane of drive.lanes.values()) lane.session?.close();
    this.claim();
  }
}
