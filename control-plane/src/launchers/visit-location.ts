import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModuleEntry } from "../workspace/workspace.ts";
import { type Announcement, launchLocation, type LocationExit } from "./location-process.ts";
import { locationEnvironment } from "./location-environment.ts";

export interface VisitOptions {
  /** Node and headgate's own file: `serve <module> ...` is appended. */
  readonly command: readonly string[];
  /** Variables of the location, unless its entry or its env file sets them. */
  readonly provided: Readonly<Record<string, string>>;
  /** How long the process may take to listen. */
  readonly startTimeoutMs: number;
  /** Ends the visit early. */
  readonly signal: AbortSignal;
}

/** The process ended or was ended before it listened. */
export class LocationNotStartedError extends Error {
  override readonly name = "LocationNotStartedError";
  readonly code = "location.not_started";
  readonly hint = "Its module cannot be served: mend what it says, or try it alone with `headgate serve`.";
}

const graceMs = 2_000;
const linesKept = 20;

/**
 * Starts a module's process as `dev` does, for as long as `work` takes: neither the process nor its workers outlive
 * the call. If this process is killed, they end by themselves, as nobody talks to them.
 *
 * @throws LocationNotStartedError, the signal's reason, and what `work` throws
 */
export async function visitLocation<T>(
  entry: ModuleEntry,
  { command, provided, startTimeoutMs, signal }: VisitOptions,
  work: (address: string, missingVariables: readonly string[]) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const { locationName, team, path } = entry;
  const folder = mkdtempSync(join(tmpdir(), "headgate-visit-"));
  const said: string[] = [];
  let announce: (announcement: Announcement) => void = () => undefined;
  const announced = new Promise<Announcement>((resolve) => (announce = resolve));
  const args = ["serve", path, "--port", "0", "--location-name", locationName, "--team", team];
  try {
    const running = await launchLocation(
      {
        command: [...command, ...args],
        // It computes nothing here: one worker is enough, unless the location says otherwise.
        env: { HEADGATE_WORKERS: "1", ...locationEnvironment(entry, provided) },
        logFile: join(folder, locationName),
        onLine: (_stream, line) => {
          said.push(line);
          if (said.length > linesKept) said.shift();
        },
        onAnnouncement: announce,
      },
      () => undefined,
    );
    try {
      const listening = await firstOf(announced, running.gone, startTimeoutMs, signal);
      if (listening === "late") {
        throw new LocationNotStartedError(
          `Location ${locationName} did not listen within ${startTimeoutMs} ms.${lastWords(said)}`,
        );
      }
      if (!("port" in listening)) {
        const status = String(listening.code ?? listening.signal ?? "an unknown status");
        throw new LocationNotStartedError(
          `Location ${locationName} ended with ${status} before it listened.${lastWords(said)}`,
        );
      }
      return await work(`127.0.0.1:${listening.port}`, listening.missingVariables ?? []);
    } finally {
      await running.end(graceMs);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function firstOf(
  announced: Promise<Announcement>,
  gone: Promise<LocationExit>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Announcement | LocationExit | "late"> {
  let timer: NodeJS.Timeout | undefined;
  let aborted: () => void = () => undefined;
  const late = new Promise<"late">((resolve) => (timer = setTimeout(() => resolve("late"), timeoutMs)));
  const stopped = new Promise<never>((_resolve, reject) => {
    aborted = () => reject(signal.reason as Error);
    signal.addEventListener("abort", aborted);
  });
  try {
    // Aborted while the process was being started: no event will tell of it any more.
    signal.throwIfAborted();
    return await Promise.race([announced, gone, late, stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", aborted);
  }
}

function lastWords(said: readonly string[]): string {
  return said.length === 0 ? "" : ` It said:\n${said.join("\n")}`;
}
