import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { ModuleEntry } from "../workspace/workspace.ts";
import {
  adoptLocation,
  type Announcement,
  answersOnPort,
  launchLocation,
  type LocationExit,
  type LocationProcess,
  type OutputStream,
  type Save,
} from "./location-process.ts";
import { locationEnvironment } from "./location-environment.ts";
import {
  type LocationRecord,
  readLocationRecord,
  removeLocationRecord,
  writeLocationRecord,
} from "./location-record.ts";
import { endProcessGroup } from "./process-group.ts";
import { isAlive, type ProcessIdentity, processIdentity, isOfThisBoot } from "../processes/process-identity.ts";

export interface ListeningLocation {
  readonly locationName: string;
  /** "127.0.0.1:4001" */
  readonly address: string;
  readonly instanceId: string;
  readonly pid: number;
  /** True if an earlier `dev` started it. */
  readonly adopted: boolean;
}

export interface GoneLocation extends LocationExit {
  readonly locationName: string;
  /** Undefined if it never listened. */
  readonly instanceId: string | undefined;
  /** True if it was ended because its entry is gone or changed, or by `stop()`. */
  readonly wanted: boolean;
}

export interface SupervisedLocationOptions {
  /** Node and headgate's own file: `serve <module> ...` is appended. */
  readonly command: readonly string[];
  /** Variables of a location, unless its entry or its env file sets them. */
  readonly provided: (entry: ModuleEntry) => Readonly<Record<string, string>>;
  readonly onListening: (location: ListeningLocation) => void;
  /** Called once the process and all of its workers are proven gone: an attempt that ran there runs no more. */
  readonly onExit: (location: GoneLocation) => void;
  /** Not told by a process that an earlier `dev` started. */
  readonly onSave: (locationName: string, save: Save) => void;
  readonly onLine: (locationName: string, stream: OutputStream, line: string) => void;
  /** How long a process may take to end by itself. */
  readonly graceMs: number;
  /** How long a process may take to listen before it is killed. */
  readonly startTimeoutMs: number;
  /** Before a new start; doubled up to `maxMs`, and `minMs` again after a life of `resetAfterMs`. */
  readonly backoff: { readonly minMs: number; readonly maxMs: number; readonly resetAfterMs: number };
}

const noStatus: LocationExit = { code: null, signal: null };

/** Keeps one location's process running, from its construction until `stop()`. */
export class SupervisedLocation {
  readonly #entry: ModuleEntry;
  readonly #options: SupervisedLocationOptions;
  /** Without ending: the record is `.json`, the logs `.stdout` and `.stderr`. */
  readonly #file: string;
  readonly #fingerprint: string;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  #process: LocationProcess | undefined;
  /** The last one known: taken again if it is free, so that whoever dials the location finds it there. */
  #port: number | undefined;
  #instanceId: string | undefined;

  constructor(entry: ModuleEntry, file: string, options: SupervisedLocationOptions) {
    this.#entry = entry;
    this.#options = options;
    this.#file = file;
    this.#fingerprint = fingerprintOf(entry, options);
    this.#ended = this.#keepRunning();
  }

  /** True if the process need not be started again for `entry`. */
  isStillRight(entry: ModuleEntry): boolean {
    return fingerprintOf(entry, this.#options) === this.#fingerprint;
  }

  /** Ends the process because its entry is another now, once what it runs has ended or `drainMs` are over. */
  async drain(drainMs: number): Promise<void> {
    this.#say("its entry or env file changed: it ends what it runs and starts again");
    await this.stop(drainMs);
  }

  /** `graceMs`: how long the process may take to end. */
  async stop(graceMs = this.#options.graceMs): Promise<void> {
    this.#stopping.abort();
    await this.#process?.end(graceMs);
    await this.#ended;
  }

  async #keepRunning(): Promise<void> {
    const { minMs, maxMs, resetAfterMs } = this.#options.backoff;
    const { signal } = this.#stopping;
    let backoffMs = minMs;
    let adopted = await this.#adopt();
    while (!signal.aborted) {
      const startedAtMs = performance.now();
      const exit = await this.#runOnce(adopted);
      adopted = undefined;
      if (signal.aborted) break;
      if (performance.now() - startedAtMs >= resetAfterMs) backoffMs = minMs;
      this.#say(
        `ended with ${String(exit.code ?? exit.signal ?? "an unknown status")}; starts again in ${String(backoffMs)} ms`,
      );
      await delay(backoffMs, undefined, { signal }).catch(() => undefined);
      backoffMs = Math.min(backoffMs * 2, maxMs);
    }
    // Adopted while `stop()` was on its way.
    await adopted?.end(this.#options.graceMs);
    if (adopted !== undefined) this.#forget(noStatus);
  }

  async #runOnce(adopted: LocationProcess | undefined): Promise<LocationExit> {
    let exit = noStatus;
    try {
      const running = (this.#process = adopted ?? (await this.#launch()));
      // `stop()` may have come while there was no process to end.
      if (this.#stopping.signal.aborted) void running.end(this.#options.graceMs);
      const timer = setTimeout(() => {
        if (this.#instanceId !== undefined) return;
        this.#say(`did not listen within ${String(this.#options.startTimeoutMs)} ms and is killed`);
        void endProcessGroup(running.identity.pid);
      }, this.#options.startTimeoutMs);
      exit = await running.gone.finally(() => clearTimeout(timer));
    } catch (error) {
      this.#say(`cannot be started: ${(error as Error).message}`);
    }
    this.#process = undefined;
    // A start that came to nothing may have failed on its port.
    if (this.#instanceId === undefined) this.#port = undefined;
    this.#forget(exit);
    return exit;
  }

  async #launch(): Promise<LocationProcess> {
    const { locationName, team, path } = this.#entry;
    const port = this.#port !== undefined && (await isFree(this.#port)) ? this.#port : 0;
    const args = ["serve", path, "--port", String(port), "--watch", "--location-name", locationName, "--team", team];
    let identity: ProcessIdentity | undefined;
    return launchLocation(
      {
        command: [...this.#options.command, ...args],
        env: locationEnvironment(this.#entry, this.#options.provided(this.#entry)),
        logFile: this.#file,
        onLine: (stream, line) => this.#options.onLine(locationName, stream, line),
        onSave: (save) => this.#options.onSave(locationName, save),
        onAnnouncement: (announcement) => {
          if (identity !== undefined) this.#listening(identity, announcement, false);
        },
      },
      (started) => {
        identity = started;
        this.#record({ ...started, fingerprint: this.#fingerprint, port: undefined, instanceId: undefined });
      },
    );
  }

  /** The process that an earlier `dev` left. One that is no longer right, or does not answer, is ended. */
  async #adopt(): Promise<LocationProcess | undefined> {
    const record = readLocationRecord(`${this.#file}.json`);
    if (record === undefined) return undefined;
    const { port, instanceId } = record;
    this.#port = port;
    this.#instanceId = instanceId;
    const right = record.fingerprint === this.#fingerprint && port !== undefined && instanceId !== undefined;
    if (right && isAlive(record) && (await answersOnPort(port))) {
      const { onLine } = this.#options;
      const adopted = await adoptLocation(record, {
        logFile: this.#file,
        onLine: (stream, line) => onLine(this.#entry.locationName, stream, line),
      });
      this.#listening(record, { port, instanceId, pid: record.pid }, true);
      return adopted;
    }
    await endRecorded(record, this.#options.graceMs);
    this.#forget(noStatus);
    return undefined;
  }

  #listening(identity: ProcessIdentity, { port, instanceId, pid }: Announcement, adopted: boolean): void {
    this.#port = port;
    this.#instanceId = instanceId;
    this.#record({ ...identity, fingerprint: this.#fingerprint, port, instanceId });
    const address = `127.0.0.1:${String(port)}`;
    this.#options.onListening({ locationName: this.#entry.locationName, address, instanceId, pid, adopted });
  }

  #record({ pid, startTime, fingerprint, port, instanceId }: LocationRecord): void {
    writeLocationRecord(`${this.#file}.json`, { pid, startTime, fingerprint, port, instanceId });
  }

  #forget(exit: LocationExit): void {
    const instanceId = this.#instanceId;
    this.#instanceId = undefined;
    const wanted = this.#stopping.signal.aborted;
    this.#options.onExit({ locationName: this.#entry.locationName, instanceId, wanted, ...exit });
    // Last: if this process dies before the exit was told, the next one tells it.
    removeLocationRecord(`${this.#file}.json`);
  }

  #say(text: string): void {
    this.#options.onLine(this.#entry.locationName, "stderr", text);
  }
}

/** Ends what is left of a process that an earlier `dev` started: itself, or the workers that outlived it. */
export async function endRecorded(record: LocationRecord, graceMs: number): Promise<void> {
  if (isAlive(record)) {
    process.kill(record.pid, "SIGTERM");
    const deadlineMs = performance.now() + graceMs;
    while (isAlive(record) && performance.now() < deadlineMs) await delay(20);
    await endProcessGroup(record.pid);
  } else if (processIdentity(record.pid) === undefined && isOfThisBoot(record)) {
    // Its number belongs to nobody, so if there is a group of that number it is still the old one.
    await endProcessGroup(record.pid);
  }
}

function fingerprintOf(entry: ModuleEntry, options: SupervisedLocationOptions): string {
  const { locationName, team, path, env, envFile } = entry;
  const { command, provided } = options;
  const fileContent = envFile === undefined ? null : readOrNull(envFile);
  const parts = [
    locationName,
    team,
    path,
    Object.entries(env).sort(),
    envFile ?? null,
    fileContent,
    command,
    Object.entries(provided(entry)).sort(),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
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
    server.close();
  }
}
