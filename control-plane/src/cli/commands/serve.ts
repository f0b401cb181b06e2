import { serve as serveLocation } from "@headgate/sdk/serve";
import type { ServeCommand } from "../process-commands.ts";

/** A location that was started by `dev` ends when `dev` has been gone for so long. */
const exitWhenAloneMs = 30_000;

/** Serves a code location until a signal ends the process. */
export async function serve({ locationName, team, ...options }: ServeCommand): Promise<number> {
  const supervised = process.send !== undefined;
  const served = await serveLocation({
    ...options,
    ...(locationName === undefined ? {} : { locationName }),
    ...(team === undefined ? {} : { team }),
    ...(supervised ? { exitWhenAloneMs, saved: teller("saved"), unchanged: teller("unchanged") } : {}),
  });
  const { port, instanceId, missingVariables } = served;
  if (supervised) {
    process.send?.({ kind: "listening", port, instanceId, pid: process.pid, missingVariables });
    // The channel has said what it was for; an open one would tie this process to its parent.
    process.channel?.unref();
  } else {
    process.stdout.write(`Serving ${options.module} at ${options.host}:${port}\n`);
  }
  // The SDK ends the process in an orderly way; there is nothing to return to.
  return new Promise<number>(() => undefined);
}

/** What became of a save, to the `dev` that started this process, while it is there. */
function teller(kind: "saved" | "unchanged"): (savedAtMs: number) => void {
  return (savedAtMs) => {
    if (process.connected) process.send?.({ kind, savedAtMs }, () => undefined);
  };
}
