export interface LoopOptions {
  /** Between the end of one turn and the start of the next. */
  readonly everyMs: number;
  readonly work: () => Promise<unknown>;
  readonly failed: (error: unknown) => void;
}

const backoffMsMax = 5_000;

/** Does its work again and again, one turn at a time. A turn that fails ends that turn and delays the next. */
export class Loop {
  readonly #options: LoopOptions;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #failures = 0;
  #stopped = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  #schedule(): void {
    if (this.#stopped) return;
    const delayMs = Math.min(
      this.#options.everyMs * 2 ** this.#failures,
      Math.max(backoffMsMax, this.#options.everyMs),
    );
    this.#timer = setTimeout(() => {
      this.#turn = this.#run().finally(() => this.#schedule());
    }, delayMs);
  }

  async #run(): Promise<void> {
    try {
      await this.#options.work();
      this.#failures = 0;
    } catch (error) {
      this.#failures = Math.min(this.#failures + 1, 10);
      this.#options.failed(error);
    }
  }
}
