/** Beyond this the oldest runs are forgotten. */
const runsMax = 100_000;

/** The highest epoch that was seen of each run: a driver that was taken over commands nothing any more. */
export class RunEpochs {
  readonly #epochs = new Map<string, number>();

  /** False if a higher epoch of this run was seen. */
  admit(runId: string, epoch: number): boolean {
    const seen = this.#epochs.get(runId);
    if (seen !== undefined && epoch < seen) return false;
    if (seen === epoch) return true;
    this.#epochs.set(runId, epoch);
    if (this.#epochs.size > runsMax) {
      const oldest = this.#epochs.keys().next().value;
      if (oldest !== undefined) this.#epochs.delete(oldest);
    }
    return true;
  }

  forget(runId: string): void {
    this.#epochs.delete(runId);
  }
}
