/** A wait that somebody may end early, also by a call that came before it began. */
export class WakeableWait {
  #end: () => void = () => undefined;
  #woken = false;

  wake(): void {
    this.#woken = true;
    this.#end();
  }

  /** Until woken, or for `ms` at most; undefined: until woken. */
  async wait(ms: number | undefined): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
        this.#end = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#end = () => undefined;
    this.#woken = false;
  }
}
