import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, statSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { isAlive, type ProcessIdentity, processIdentity } from "../processes/process-identity.ts";
import { endProcessGroup } from "./process-group.ts";
import { type LogTail, tailLog } from "./log-tail.ts";

/** What a location's process says once it serves: over IPC, as `{ kind: "listening", ... }`. */
export interface Announcement {
  readonly port: number;
  readonly instanceId: string;
  readonly pid: number;
  /** Variables that its modules ask for without a default, and that are not set. */
  readonly missingVariables?: readonly string[] | undefined;
}

export interface LocationExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type OutputStream = "stdout" | "stderr";

/** One process of a location, with the workers it started: its process group. */
export interface LocationProcess {
  readonly identity: ProcessIdentity;
  /** Resolves once no process of the group is left and all of its output was handed on. */
  readonly gone: Promise<LocationExit>;
  /** Asks it to end, and kills the group once `graceMs` are over. */
  end(graceMs: number): Promise<void>;
}

export interface LaunchedLocation {
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** `<name>.stdout` and `<name>.stderr` are made from it. */
  readonly logFile: string;
  readonly onLine: (stream: OutputStream, line: string) => void;
  readonly onAnnouncement: (announcement: Announcement) => void;
  readonly onSave?: (save: Save) => void;
}

/** A source was saved, at this time in Unix milliseconds. */
export interface Save {
  /** "saved": it is loaded now. "unchanged": it is loaded, and every definition is what it was. */
  readonly kind: "saved" | "unchanged";
  readonly savedAtMs: number;
}

const streams = ["stdout", "stderr"] as const;
const adoptedPollMs = 100;
const announcementSchema = z.object({
  kind: z.literal("listening"),
  port: z.int().min(1).max(65_535),
  instanceId: z.string().min(1),
  pid: z.int().positive(),
  missingVariables: z.array(z.string().max(255)).max(1_000).optional(),
});

const saveSchema = z.object({ kind: z.enum(["saved", "unchanged"]), savedAtMs: z.number().positive() });

/** Starts a process in a group of its own. `started` is called before anything else can happen. */
export async function launchLocation(
  launch: LaunchedLocation,
  started: (identity: ProcessIdentity) => void,
): Promise<LocationProcess> {
  const [file = "", ...args] = launch.command;
  const outputs = streams.map((stream) => {
    const path = `${launch.logFile}.${stream}`;
    closeSync(openSync(path, "w", 0o600));
    return openSync(path, "a");
  });
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      env: launch.env,
      detached: true,
      stdio: ["ignore", ...outputs, "ipc"] as ["ignore", number, number, "ipc"],
    });
  } finally {
    for (const output of outputs) closeSync(output);
  }
  const exited = new Promise<LocationExit>((resolve, reject) => {
    // Also emitted when a message or a signal cannot be sent, which is no end of the process.
    child.on("error", (error) => {
      if (child.pid === undefined) reject(error);
    });
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  child.on("message", (message) => {
    const parsed = announcementSchema.safeParse(message);
    if (parsed.success) launch.onAnnouncement(parsed.data);
    const saved = saveSchema.safeParse(message);
    if (saved.success) launch.onSave?.(saved.data);
  });
  const identity = child.pid === undefined ? undefined : processIdentity(child.pid);
  if (identity === undefined) {
    // Not started at all: says why. Or over before it could be looked at.
    const exit = await exited;
    for (const stream of streams)
      await (await tailLog(`${launch.logFile}.${stream}`, 0, (line) => launch.onLine(stream, line))).close();
    if (child.pid !== undefined) await endProcessGroup(child.pid);
    return {
      identity: { pid: child.pid ?? 0, startTime: "" },
      gone: Promise.resolve(exit),
      end: () => Promise.resolve(),
    };
  }
  started(identity);
  return groupOf(identity, exited, await tails(launch, () => 0));
}

/** A process that an earlier `dev` started and that outlived it. Its exit status is nobody's to know any more. */
export async function adoptLocation(
  identity: ProcessIdentity,
  launch: Pick<LaunchedLocation, "logFile" | "onLine">,
): Promise<LocationProcess> {
  const exited = (async () => {
    // Not a child of this process, so no event tells of its end.
    while (isAlive(identity)) await delay(adoptedPollMs);
    return { code: null, signal: null };
  })();
  return groupOf(identity, exited, await tails(launch, sizeOf));
}

function groupOf(identity: ProcessIdentity, exited: Promise<LocationExit>, logs: readonly LogTail[]): LocationProcess {
  const gone = exited.then(async (exit) => {
    await endProcessGroup(identity.pid);
    for (const log of logs) await log.close();
    return exit;
  });
  // Whoever waits for it gets the error; nobody waiting yet is no reason to end the process.
  gone.catch(() => undefined);
  return {
    identity,
    gone,
    end: async (graceMs) => {
      if (isAlive(identity)) process.kill(identity.pid, "SIGTERM");
      const timer = setTimeout(() => void endProcessGroup(identity.pid), graceMs);
      try {
        await gone.catch(() => undefined);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function tails(
  launch: Pick<LaunchedLocation, "logFile" | "onLine">,
  from: (file: string) => number,
): Promise<LogTail[]> {
  return Promise.all(
    streams.map((stream) => {
      const file = `${launch.logFile}.${stream}`;
      return tailLog(file, from(file), (line) => launch.onLine(stream, line));
    }),
  );
}

function sizeOf(file: string): number {
  // A log that was removed by hand is made again; the process goes on writing to the one that is gone.
  closeSync(openSync(file, "a", 0o600));
  return statSync(file).size;
}

/** True if something accepts connections there within a second. */
export function answersOnPort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: 1_000 });
    const answer = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.once("connect", () => answer(true));
    socket.once("timeout", () => answer(false));
    socket.once("error", () => answer(false));
  });
}
