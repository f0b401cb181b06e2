import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that systems give to whoever dials: nobody comes upon one of these by accident. */
const portMin = 20_000;
const portMax = 32_767;

/**
 * A port of loopback that was free a moment ago, and that a connection which is made meanwhile does not take. Chosen at
 * random, so that tests that run at once hardly choose the same.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = portMin + Math.floor(Math.random() * (portMax - portMin + 1));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
