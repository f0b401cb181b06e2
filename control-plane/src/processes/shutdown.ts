/**
 * One Ctrl-C can come twice: the terminal sends it to every process of the group, and `npx` passes on what it got. What
 * follows within this time is the same wish.
 */
const sameWishMs = 1_000;

/**
 * Resolves with the signal's name at the first SIGINT or SIGTERM. Another one, a second later or more, ends the process
 * at once.
 */
export function shutdownSignal(): Promise<string> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        const now = performance.now();
        if (askedAt !== undefined && now - askedAt >= sameWishMs) process.exit(130);
        askedAt ??= now;
        resolve(signal);
      });
    }
  });
}
