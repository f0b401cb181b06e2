import type pg from "pg";
import type { StepError } from "../domain/attempt-report.ts";
import type { Graph } from "../domain/graph.ts";
import { publicationRetryDelayMs, publicationStep, publishes } from "../domain/publication.ts";
import type { VersionView } from "../domain/gate.ts";
import type { Publication } from "../grpc/location-client.ts";
import { LocationError } from "../grpc/location-error.ts";
import { withTransaction } from "../storage/database.ts";
import {
  type PublicationPlace,
  claimPublication,
  readPublicationStates,
  recordPublishFailed,
  recordPublished,
  releasePublication,
} from "../storage/publications.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";

export interface PublicationLaneOptions {
  readonly pool: pg.Pool;
  readonly location: string;
  readonly graph: () => Graph;
  /** Of the daemon as it is now. */
  readonly daemonId: () => string;
  readonly now: () => number;
  readonly isConnected: () => boolean;
  readonly call: (publication: Publication, signal: AbortSignal) => Promise<StepError | undefined>;
  /** Look at this partition again, then. */
  readonly again: (place: PublicationPlace, afterMs: number) => void;
  /** Something was appended to the log. */
  readonly recorded: () => void;
  readonly failed: (error: unknown) => void;
}

/** Then it is aborted in the location. */
const timeoutMs = 60_000;
/** Longer than any call: nobody else calls meanwhile, unless this daemon's row is gone. */
const claimMs = timeoutMs + 30_000;
/** Another daemon is at this partition: look again after so long, in case that it dies. */
const claimedElsewhereMs = 1_000;

/** What one location has to publish, one call at a time. A location that hangs delays its own publications alone. */
export class PublicationLane {
  readonly #options: PublicationLaneOptions;
  readonly #due = new Map<string, PublicationPlace>();
  readonly #breaker = new CircuitBreaker();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #pause: NodeJS.Timeout | undefined;

  constructor(options: PublicationLaneOptions) {
    this.#options = options;
  }

  /** Nothing can be done at the moment. */
  get isIdle(): boolean {
    return this.#running === undefined && (this.#due.size === 0 || !this.#options.isConnected());
  }

  add(place: PublicationPlace): void {
    this.#due.set(`${place.asset}\n${place.partition}`, place);
    this.wake();
  }

  wake(): void {
    if (this.#stopping.signal.aborted || this.#pause !== undefined || !this.#options.isConnected()) return;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  async stop(): Promise<void> {
    clearTimeout(this.#pause);
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#due.size > 0 && !this.#stopping.signal.aborted && this.#options.isConnected()) {
      const [next] = this.#due;
      if (next === undefined) return;
      const [key, place] = next;
      this.#due.delete(key);
      try {
        await this.#settle(place);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        if (!(error instanceof LocationError)) this.#options.failed(error);
        this.#due.set(key, place);
        return this.#rest();
      }
    }
  }

  /** The location or the database is away: all that is due waits. */
  #rest(): void {
    this.#breaker.failed();
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#breaker.dialled();
      this.wake();
    }, this.#breaker.delayMs(Math.random()));
  }

  /** Judged anew: it may have waited for long. */
  async #settle(place: PublicationPlace): Promise<void> {
    const { pool, location, graph, daemonId, now, again } = this.#options;
    const node = graph().assets.get(place.asset);
    // One that has moved to another location is published there.
    if (node === undefined || !publishes(node) || node.location !== location) return;
    const [state] = await readPublicationStates(pool, place.asset, [place.partition]);
    if (state === undefined) return;
    const step = publicationStep(node, state.versions, state.known, now());
    switch (step.kind) {
      case "settled":
        return;
      case "wait":
        return again(place, step.untilMs - now());
      case "publish": {
        const daemon = daemonId();
        // Persisted, then acted upon: whoever is killed from here on leaves a row that says so.
        const isOurs = await claimPublication(pool, place, step.version.id, daemon, claimMs);
        if (!isOurs) return again(place, claimedElsewhereMs);
        await this.#publish(place, step.version, daemon);
      }
    }
  }

  async #publish(place: PublicationPlace, version: VersionView, daemon: string): Promise<void> {
    const { pool, call, again, recorded } = this.#options;
    const error = await this.#called(() => call(publicationOf(place, version), this.#stopping.signal)).catch(
      async (thrown: unknown) => {
        await releasePublication(pool, place, daemon).catch(() => undefined);
        throw thrown;
      },
    );
    if (error === undefined) {
      this.#breaker.succeeded();
      const isRecorded = await withTransaction(pool, (tx) => recordPublished(tx, place, version.id, daemon));
      if (!isRecorded) return again(place, claimedElsewhereMs);
    } else {
      const failures = await withTransaction(pool, (tx) =>
        recordPublishFailed(tx, place, version.id, daemon, error, publicationRetryDelayMs),
      );
      again(place, failures === undefined ? claimedElsewhereMs : publicationRetryDelayMs(failures));
    }
    recorded();
  }

  /** A location that is out of reach is no failure of the version; one that cannot do it in time is. */
  async #called(call: () => Promise<StepError | undefined>): Promise<StepError | undefined> {
    try {
      return await call();
    } catch (error) {
      if (this.#stopping.signal.aborted || !(error instanceof LocationError)) throw error;
      if (error.code !== "location.timed_out" && error.code !== "location.busy") throw error;
      const { code, message, hint } = error;
      return { code, message, hint };
    }
  }
}

function publicationOf(place: PublicationPlace, version: VersionView): Publication {
  const { id: versionId, partition, value, dataVersion, metadata } = version;
  return { asset: place.asset, version: { versionId, partition, value, dataVersion, metadata }, timeoutMs };
}
