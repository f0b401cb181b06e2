import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

interface BuildModule {
  isStale(): boolean;
  build(): Promise<void>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const lock = join(root, "node_modules", ".headgate-build.lock");
const lockStaleAfterMs = 30_000;
const lockPollMs = 50;

/**
 * Builds `dist/` before the first test if a source is newer than it, because the processes that tests start run from
 * there. With `CI` set a build that fails ends the run. Elsewhere it is only printed, so that one package that does not
 * build yet does not keep the tests of the others from running.
 */
export default async function setup(): Promise<() => Promise<void>> {
  // Names the process that lives as long as this run to the workers: see test-server.ts.
  process.env["HEADGATE_TEST_RUN_PID"] ??= String(process.pid);
  await buildIfStale();
  return async () => {
    const { releaseTestServer } = await import("./test-server.ts");
    await releaseTestServer();
  };
}

async function buildIfStale(): Promise<void> {
  const buildScript: string = new URL("../../build.mjs", import.meta.url).href;
  const { build, isStale } = (await import(buildScript)) as BuildModule;
  if (!isStale()) return;
  await holdingLock(async () => {
    if (!isStale()) return;
    try {
      await build();
    } catch (error) {
      if (process.env["CI"] !== undefined) throw error;
      console.error(
        `The build of dist/ failed, so tests that start processes will fail too. Mend it with: node build.mjs\n${String(error)}`,
      );
    }
  });
}

/** Two vitest runs in one checkout must not build at once. A lock that a killed run left is taken over. */
async function holdingLock(action: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const held = await stat(lock).catch(() => undefined);
    if (held !== undefined && Date.now() - held.mtimeMs > lockStaleAfterMs) {
      await rm(lock, { recursive: true, force: true });
    } else {
      await delay(lockPollMs);
    }
  }
  try {
    await action();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}
