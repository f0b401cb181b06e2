import { LocationError } from "../grpc/location-error.ts";
import type { SensorClaim } from "../storage/sensors.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import type { Recorded } from "./record-evaluation.ts";

export interface SensorLaneOptions {
  readonly isConnected: () => boolean;
  /** Claims those of these sensors that are due, and that no other daemon is at. */
  readonly claim: (names: readonly string[]) => Promise<readonly SensorClaim[]>;
  /** Throws LocationError if the location is out of reach. */
  readonly evaluate: (claim: SensorClaim, signal: AbortSignal) => Promise<Recorded>;
  /** Look at this sensor again, then. */
  readonly again: (name: string, afterMs: number) => void;
  readonly failed: (error: unknown) => void;
}

/** Asked of one location at once; it has worker processes for a few of them, and lets the others wait. */
const atOnceMax = 64;
/** Another daemon is at it, or it was switched off: what is stored says more by then. */
const notOursMs = 1_000;

/** The sensors of one location that are due. A location that hangs, or is away, delays its own sensors alone. */
export class SensorLane {
  readonly #options: SensorLaneOptions;
  readonly #due = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #breaker = new CircuitBreaker();
  readonly #stopping = new AbortController();
  #claiming: Promise<void> | undefined;
  #pause: NodeJS.Timeout | undefined;

  constructor(options: SensorLaneOptions) {
    this.#options = options;
  }

  add(name: string): void {
    if (this.#running.has(name)) return;
    this.#due.add(name);
    this.wake();
  }

  wake(): void {
    if (!this.#canGoOn()) return;
    this.#claiming ??= this.#claimDue().finally(() => {
      this.#claiming = undefined;
      // Something became due between the last look and here.
      if (this.#running.size < atOnceMax) this.wake();
    });
  }

  async stop(): Promise<void> {
    clearTimeout(this.#pause);
    this.#stopping.abort();
    await this.#claiming;
    await Promise.all(this.#running.values());
  }

  #canGoOn(): boolean {
    const { signal } = this.#stopping;
    return !signal.aborted && this.#pause === undefined && this.#due.size > 0 && this.#options.isConnected();
  }

  async #claimDue(): Promise<void> {
    // Whatever else is due in this turn of the event loop shares the claim.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#canGoOn() && this.#running.size < atOnceMax) {
      const names = [...this.#due].slice(0, atOnceMax - this.#running.size);
      for (const name of names) this.#due.delete(name);
      try {
        const claims = await this.#options.claim(names);
        const ours = new Set(claims.map(({ name }) => name));
        for (const name of names) if (!ours.has(name)) this.#options.again(name, notOursMs);
        for (const claim of claims) this.#start(claim);
      } catch (error) {
        this.#options.failed(error);
        for (const name of names) this.#due.add(name);
        return this.#rest();
      }
    }
  }

  #start(claim: SensorClaim): void {
    const running = this.#evaluated(claim).then((afterMs) => {
      this.#running.delete(claim.name);
      if (afterMs === undefined) this.#due.add(claim.name);
      else this.#options.again(claim.name, afterMs);
      this.wake();
    });
    this.#running.set(claim.name, running);
  }

  /** How long after it is to be looked at again; undefined: as soon as the location can be reached. */
  async #evaluated(claim: SensorClaim): Promise<number | undefined> {
    const { evaluate, failed } = this.#options;
    try {
      const recorded = await evaluate(claim, this.#stopping.signal);
      this.#breaker.succeeded();
      return recorded.kind === "recorded" ? recorded.delayMs : notOursMs;
    } catch (error) {
      if (this.#stopping.signal.aborted) return undefined;
      if (error instanceof LocationError) {
        this.#rest();
        return undefined;
      }
      failed(error);
      return notOursMs;
    }
  }

  /** The location or the database is away: all that is due waits. */
  #rest(): void {
    if (this.#pause !== undefined) return;
    this.#breaker.failed();
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#breaker.dialled();
      this.wake();
    }, this.#breaker.delayMs(Math.random()));
  }
}
