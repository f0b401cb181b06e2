import type pg from "pg";
import type { Evaluation, EvaluationAnswer } from "../domain/evaluation.ts";
import type { StepError } from "../domain/attempt-report.ts";
import {
  type LocationAddress,
  type LocationClient,
  type Publication,
  connectLocation,
} from "../grpc/location-client.ts";
import { notConnected } from "../grpc/location-error.ts";
import { carryOverHistories } from "../storage/carry-over.ts";
import { withTransaction } from "../storage/database.ts";
import { removeLocation } from "../storage/definitions.ts";
import { endReload, locationsBeyond, pendingReloads, registerLocation, touchLocations } from "../storage/locations.ts";
import type { DefinitionErrorRow } from "../storage/schema.ts";
import { type CircuitTiming, circuitTiming } from "./circuit-breaker.ts";
import type { LocationListener } from "./location-listener.ts";
import { type LocationLog, LocationLoop } from "./location-loop.ts";
import { type LocationTarget, type WorkspaceTargets, sameTarget } from "./location-target.ts";
import { Loop } from "./loop.ts";

export type { LocationListener } from "./location-listener.ts";
export { type LocationTarget, workspaceTargets } from "./location-target.ts";

export interface LocationSyncOptions {
  readonly pool: pg.Pool;
  readonly listener: LocationListener;
  readonly daemonId: () => string;
  readonly log: LocationLog;
  /** Default: gRPC. */
  readonly connect?: (address: LocationAddress) => LocationClient;
  readonly circuit?: CircuitTiming;
  /** How often to look for reloads and histories to carry over that were asked for; default 500. */
  readonly reloadPollMs?: number;
  /** How long a module may take to start before it is reported; default 20,000. */
  readonly startGraceMs?: number;
}

const touchEveryMs = 10_000;

/** Keeps every code location of the workspace loaded, each in a loop of its own. */
export class LocationSync {
  readonly #options: LocationSyncOptions;
  readonly #loops = new Map<string, { readonly target: LocationTarget; readonly loop: LocationLoop }>();
  readonly #housekeeping: Loop[];
  /** Changes of the workspace, one after another. */
  #changing: Promise<void> = Promise.resolve();
  #nonce = 0;

  constructor(options: LocationSyncOptions) {
    this.#options = options;
    const failed = (error: unknown) => options.log.warn({ err: error }, `locations: ${String(error)}`);
    this.#housekeeping = [
      new Loop({ everyMs: options.reloadPollMs ?? 500, work: () => this.#carryOutReloads(), failed }),
      new Loop({ everyMs: options.reloadPollMs ?? 500, work: () => this.#carryOver(), failed }),
      new Loop({ everyMs: touchEveryMs, work: () => this.#touch(), failed }),
    ];
  }

  /**
   * What the workspace asks for now. A location that is new is dialled, one that changed is dialled again, one that is
   * gone is let go, and its definitions are retired if the workspace is `complete`. Resolves when that is under way.
   */
  setTargets({ targets, complete }: WorkspaceTargets): Promise<void> {
    this.#changing = this.#changing.then(() => this.#change(targets, complete));
    return this.#changing;
  }

  /** From the supervisor of modules: the location listens there, under a process that has just started. */
  addressChanged(location: string, address: string): void {
    this.#loops.get(location)?.loop.addressChanged(address);
  }

  /** From the supervisor of modules: it could not be started. */
  async locationFailed(location: string, error: DefinitionErrorRow): Promise<void> {
    await this.#loops.get(location)?.loop.failed(error);
  }

  /** Has a location show a version to readers outside; answers why it could not. Throws LocationError. */
  async publish(location: string, publication: Publication, signal: AbortSignal): Promise<StepError | undefined> {
    const loop = this.#loops.get(location)?.loop;
    if (loop !== undefined) return await loop.publish(publication, signal);
    throw notConnected(location);
  }

  /** Has a location evaluate a sensor. Throws LocationError. */
  async evaluate(location: string, evaluation: Evaluation, signal: AbortSignal): Promise<EvaluationAnswer> {
    const loop = this.#loops.get(location)?.loop;
    if (loop !== undefined) return await loop.evaluate(evaluation, signal);
    throw notConnected(location);
  }

  isConnected(location: string): boolean {
    return this.#loops.get(location)?.loop.hasSession ?? false;
  }

  /** Resolves once every entry has loaded, or its failure is stored. */
  async ready(): Promise<void> {
    await this.#changing;
    await Promise.all([...this.#loops.values()].map(({ loop }) => loop.settled));
  }

  async close(): Promise<void> {
    await Promise.all(this.#housekeeping.map((loop) => loop.stop()));
    await this.#changing;
    await Promise.all([...this.#loops.values()].map(({ loop }) => loop.stop()));
    this.#loops.clear();
  }

  async #change(targets: readonly LocationTarget[], complete: boolean): Promise<void> {
    const wanted = new Map(targets.map((target) => [target.name, target]));
    const ending: Promise<void>[] = [];
    for (const [name, { target, loop }] of this.#loops) {
      const next = wanted.get(name);
      if (next !== undefined && sameTarget(target, next)) {
        if (next.address !== undefined) loop.addressChanged(next.address);
        continue;
      }
      this.#loops.delete(name);
      ending.push(loop.stop());
    }
    // A location that changed must have let go of its session before it opens another.
    await Promise.all(ending);
    await this.#store(wanted, complete);
    for (const [name, target] of wanted) {
      if (!this.#loops.has(name)) this.#loops.set(name, { target, loop: this.#newLoop(target) });
    }
  }

  #newLoop(target: LocationTarget): LocationLoop {
    const { pool, listener, daemonId, log } = this.#options;
    return new LocationLoop(target, {
      pool,
      listener,
      daemonId,
      log,
      connect: this.#options.connect ?? connectLocation,
      nextNonce: () => ++this.#nonce,
      random: Math.random,
      circuit: this.#options.circuit ?? circuitTiming,
      startGraceMs: this.#options.startGraceMs ?? 20_000,
    });
  }

  /** Who is there and who is gone. While the database is away, locations are dialled all the same. */
  async #store(wanted: ReadonlyMap<string, LocationTarget>, complete: boolean): Promise<void> {
    const { pool, log } = this.#options;
    try {
      for (const { name, team } of wanted.values()) await registerLocation(pool, name, team);
      if (!complete) return;
      for (const { name, team } of await locationsBeyond(pool, [...wanted.keys()])) {
        await withTransaction(pool, (tx) => removeLocation(tx, name, team));
        log.info({ location: name }, `location ${name} has left the workspace; its definitions are retired`);
        await pool.query("select pg_notify('headgate_events', '')");
      }
    } catch (error) {
      log.warn({ err: error }, `the workspace's locations cannot be stored: ${String(error)}`);
    }
  }

  async #carryOutReloads(): Promise<void> {
    const { pool } = this.#options;
    for (const [name, requestedAt] of await pendingReloads(pool, [...this.#loops.keys()])) {
      // Not awaited: a location that hangs delays its own reload alone.
      const reload = this.#loops.get(name)?.loop.reload() ?? Promise.resolve();
      await endReload(pool, name, requestedAt);
      reload.catch((error: unknown) => this.#options.log.warn({ location: name, err: error }, String(error)));
    }
  }

  /** Histories that waited for their steps to end before they could have their new key. */
  async #carryOver(): Promise<void> {
    const { pool, log } = this.#options;
    const carried = await carryOverHistories(pool);
    for (const { from, to, outcome } of carried) {
      if (outcome === "done") log.info({ asset: to }, `${to} has the history of ${from}`);
      else log.warn({ asset: to }, `${to} cannot have the history of ${from}: both have versions`);
    }
    if (carried.length > 0) await pool.query("select pg_notify('headgate_events', '')");
  }

  async #touch(): Promise<void> {
    const seen = [...this.#loops].filter(([, { loop }]) => loop.hasSession).map(([name]) => name);
    if (seen.length > 0) await touchLocations(this.#options.pool, seen);
  }
}
