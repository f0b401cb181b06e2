/** Beyond this the oldest are forgotten; the database's own uniqueness still holds then. */
const tombstonesMax = 100_000;

/** Attempts that ended here and were acknowledged: their commands are refused until their run is closed. */
export class Tombstones {
  readonly #runOf = new Map<string, string>();
  readonly #attemptsOf = new Map<string, Set<string>>();

  has(attemptId: string): boolean {
    return this.#runOf.has(attemptId);
  }

  get size(): number {
    return this.#runOf.size;
  }

  add(attemptId: string, runId: string): void {
    this.#runOf.set(attemptId, runId);
    let attempts = this.#attemptsOf.get(runId);
    if (attempts === undefined) this.#attemptsOf.set(runId, (attempts = new Set()));
    attempts.add(attemptId);
    if (this.#runOf.size <= tombstonesMax) return;
    const oldest = this.#runOf.entries().next().value;
    if (oldest !== undefined) this.#remove(...oldest);
  }

  #remove(attemptId: string, runId: string): void {
    this.#runOf.delete(attemptId);
    const attempts = this.#attemptsOf.get(runId);
    attempts?.delete(attemptId);
    if (attempts?.size === 0) this.#attemptsOf.delete(runId);
  }

  closeRun(runId: string): void {
    for (const attemptId of this.#attemptsOf.get(runId) ?? []) this.#runOf.delete(attemptId);
    this.#attemptsOf.delete(runId);
  }
}
