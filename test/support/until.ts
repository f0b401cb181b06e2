import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks `probe` until it answers something, and fails at the deadline with what was waited for. For what tells of itself
 * by no event: files, processes, a server that is not up yet. An error of `probe` is an answer that is not there yet.
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | null | Promise<T | undefined | false | null>,
  withinMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let failure: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false && answer !== null) return answer;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) throw new Error(`Waited ${withinMs} ms: ${what}`, { cause: failure });
    await delay(20);
  }
}
