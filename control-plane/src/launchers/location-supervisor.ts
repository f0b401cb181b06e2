import { mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ModuleEntry } from "../workspace/workspace.ts";
import type { OutputStream } from "./location-process.ts";
import { readLocationRecord, removeLocationRecord } from "./location-record.ts";
import { endRecorded, SupervisedLocation, type SupervisedLocationOptions } from "./supervised-location.ts";

/**
 * `onLine` defaults to this process's stdout and stderr as "[name] line", `graceMs` to 5,000, `drainMs` (how long a
 * process may take whose entry changed, to end what it runs) to 30,000, `startTimeoutMs` to 60,000, `backoff` to 200 ms
 * doubling to 10 s and reset by a life of 10 s.
 */
export type LocationSupervisorOptions = Pick<
  SupervisedLocationOptions,
  "command" | "provided" | "onListening" | "onExit"
> &
  Partial<Pick<SupervisedLocationOptions, "onLine" | "onSave" | "graceMs" | "startTimeoutMs" | "backoff">> & {
    readonly drainMs?: number;
    readonly dataDir: string;
  };

/** Runs the modules of a workspace in development: one process for each, started again when it ends. */
export interface LocationSupervisor {
  /**
   * Starts what is new, ends what is gone, ends and starts what changed (its env file included). Resolves once all that
   * had to end has ended; what starts says so through `onListening`.
   */
  apply(entries: readonly ModuleEntry[]): Promise<void>;
  /** Ends all and resolves once they are gone. */
  stop(): Promise<void>;
}

const defaults = {
  onLine: (locationName: string, stream: OutputStream, line: string) => {
    process[stream].write(`[${locationName}] ${line}\n`);
  },
  onSave: () => undefined,
  graceMs: 5_000,
  drainMs: 30_000,
  startTimeoutMs: 60_000,
  backoff: { minMs: 200, maxMs: 10_000, resetAfterMs: 10_000 },
};

/**
 * Keeps under `<dataDir>/locations/` what a later one needs to adopt the processes if this process is killed. Only one
 * may work on a data folder at a time: the lock of the embedded Postgres sees to that.
 */
export function superviseLocations({ dataDir, ...given }: LocationSupervisorOptions): LocationSupervisor {
  const folder = join(resolve(dataDir), "locations");
  mkdirSync(folder, { recursive: true });
  const options = { ...defaults, ...given };
  const running = new Map<string, SupervisedLocation>();
  let stopped = false;
  // One change after another: two of them must not both start a location.
  let applying: Promise<void> = Promise.resolve();

  const startMissing = (entries: readonly ModuleEntry[]) => {
    for (const entry of entries) {
      const { locationName } = entry;
      if (stopped || running.has(locationName)) continue;
      running.set(locationName, new SupervisedLocation(entry, join(folder, locationName), options));
    }
  };

  const applyNow = async (entries: readonly ModuleEntry[]) => {
    const wanted = new Map(entries.map((entry) => [entry.locationName, entry]));
    const ending = [...running].map(async ([name, location]) => {
      const entry = wanted.get(name);
      if (entry !== undefined && location.isStillRight(entry)) return;
      // What it runs ends on what it started with; then the new one starts.
      await (entry === undefined ? location.stop() : location.drain(options.drainMs));
      running.delete(name);
    });
    ending.push(endStrangers(folder, new Set([...wanted.keys(), ...running.keys()]), options));
    // What is new does not wait for the end of what is gone; what changed waits for its own.
    startMissing(entries);
    await Promise.all(ending);
    startMissing(entries);
  };

  return {
    apply: (entries) => (applying = applying.then(() => applyNow(entries))),
    stop: async () => {
      stopped = true;
      await applying;
      await Promise.all([...running.values()].map((location) => location.stop()));
      running.clear();
    },
  };
}

/** Processes of an earlier `dev` whose entries were removed while none ran. */
async function endStrangers(
  folder: string,
  known: ReadonlySet<string>,
  { graceMs, onExit }: Pick<SupervisedLocationOptions, "graceMs" | "onExit">,
): Promise<void> {
  const names = readdirSync(folder).flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? []);
  await Promise.all(
    names.map(async (locationName) => {
      const file = join(folder, `${locationName}.json`);
      const record = known.has(locationName) ? undefined : readLocationRecord(file);
      if (record === undefined) return;
      await endRecorded(record, graceMs);
      onExit({ locationName, instanceId: record.instanceId, wanted: true, code: null, signal: null });
      removeLocationRecord(file);
    }),
  );
}
