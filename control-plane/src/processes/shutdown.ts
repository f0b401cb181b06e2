/**
 * Resolves with the signal's name at the first SIGINT or SIGTERM. A second one ends the process at once.
 */
export function shutdownSignal(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (asked) process.exit(130);
        asked = true;
        resolve(signal);
      });
    }
  });
}
