/**
 * When to dial a location again.
 *
 * closed: it answers, or has failed a few times; the next dial comes after a delay that doubles.
 * open: it has failed repeatedly; it is left alone for the longest delay.
 * halfOpen: one probe is under way. If it succeeds the circuit closes, otherwise it opens again.
 */
export type CircuitState = "closed" | "open" | "halfOpen";

export interface CircuitTiming {
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  /** Failures in a row that open the circuit. */
  readonly failuresMax: number;
}

export const circuitTiming: CircuitTiming = { delayMsMin: 100, delayMsMax: 5_000, failuresMax: 6 };

export class CircuitBreaker {
  readonly #timing: CircuitTiming;
  #state: CircuitState = "closed";
  #failures = 0;

  constructor(timing: CircuitTiming = circuitTiming) {
    this.#timing = timing;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** A dial begins. */
  dialled(): void {
    if (this.#state === "open") this.#state = "halfOpen";
  }

  /** It answered. How often it had failed is remembered until it has stayed for a while. */
  connected(): void {
    this.#state = "closed";
  }

  succeeded(): void {
    this.#state = "closed";
    this.#failures = 0;
  }

  failed(): void {
    this.#failures = Math.min(this.#failures + 1, this.#timing.failuresMax);
    if (this.#state === "halfOpen" || this.#failures >= this.#timing.failuresMax) this.#state = "open";
  }

  /**
   * How long to wait before the next dial.
   *
   * @param random 0 to 1: up to half of the delay is left to chance, so that many daemons do not dial at once
   */
  delayMs(random: number): number {
    const { delayMsMin, delayMsMax } = this.#timing;
    const full = this.#state === "closed" ? delayMsMin * 2 ** Math.max(0, this.#failures - 1) : delayMsMax;
    return Math.min(full, delayMsMax) * (1 - random / 2);
  }
}
