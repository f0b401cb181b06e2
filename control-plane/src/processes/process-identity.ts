import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process, told from every later one that gets the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in words of the operating system's own: only ever compared. */
  readonly startTime: string;
}

/** The identity of a live process; undefined if there is none with that number, or only a zombie. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const startTime = process.platform === "linux" ? linuxStartTime(pid) : psStartTime(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** True while that very process lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  return processIdentity(identity.pid)?.startTime === identity.startTime;
}

/** The command line of a live process with its arguments parted by spaces; undefined if there is none. */
export function commandLine(pid: number): string | undefined {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${String(pid)}/cmdline`, "utf8").replaceAll("\0", " ");
    return ps(pid, "command=");
  } catch {
    return undefined;
  }
}

/** True if the machine was not started anew since; false where the operating system does not say. */
export function isOfThisBoot({ startTime }: ProcessIdentity): boolean {
  return process.platform === "linux" && startTime.split("/")[0] === linuxBootId();
}

let bootId: string | undefined;

/** Ticks count from the boot, so that a restart of the machine would make old ones look alike. */
function linuxBootId(): string {
  return (bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
}

function linuxStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    // The second field is the command in parentheses, which may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const state = fields[0];
    const startTicks = fields[19];
    if (state === "Z" || state === "X" || startTicks === undefined) return undefined;
    return `${linuxBootId()}/${startTicks}`;
  } catch {
    return undefined;
  }
}

function psStartTime(pid: number): string | undefined {
  try {
    const line = ps(pid, "stat=,lstart=");
    return line === "" || line.startsWith("Z") ? undefined : line.replace(/^\S+\s+/, "");
  } catch {
    return undefined;
  }
}

function ps(pid: number, columns: string): string {
  const environment = { ...process.env, LC_ALL: "C" };
  return execFileSync("ps", ["-o", columns, "-p", String(pid)], { encoding: "utf8", env: environment }).trim();
}
