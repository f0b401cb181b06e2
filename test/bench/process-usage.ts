import { readFileSync, readdirSync } from "node:fs";

/** What a process and those that it started have used so far. */
export interface Usage {
  readonly cpuMs: number;
  /** Calls of write() and its kin, as the kernel counts them: a Node process writes sockets and pipes with nothing else. */
  readonly writes: number;
  /** Memory in bytes: the peak of what is resident, added up over the processes. */
  readonly peakBytes: number;
  /** Memory in bytes now, with what processes share counted once. */
  readonly proportionalBytes: number;
}

/** Of Linux's user interface: 100 on every architecture that Node runs on. */
const clockTicksPerSecond = 100;

/** The usage of a process and all its live descendants; zeros where the operating system is not Linux. */
export function usageOfTree(root: number): Usage {
  return added(descendants(root).map(usageOf));
}

/** The usage of one process alone. */
export function usageOf(pid: number): Usage {
  const stat = fieldsOfStat(pid);
  const [userTicks, systemTicks] = [Number(stat[11] ?? 0), Number(stat[12] ?? 0)];
  return {
    cpuMs: ((userTicks + systemTicks) * 1_000) / clockTicksPerSecond,
    writes: numberIn(pid, "io", /^syscw: (\d+)/m),
    peakBytes: numberIn(pid, "status", /^VmHWM:\s+(\d+) kB/m) * 1_024,
    proportionalBytes: numberIn(pid, "smaps_rollup", /^Pss:\s+(\d+) kB/m) * 1_024,
  };
}

function added(usages: readonly Usage[]): Usage {
  const total = (pick: (usage: Usage) => number) => usages.reduce((sum, usage) => sum + pick(usage), 0);
  return {
    cpuMs: total((usage) => usage.cpuMs),
    writes: total((usage) => usage.writes),
    peakBytes: total((usage) => usage.peakBytes),
    proportionalBytes: total((usage) => usage.proportionalBytes),
  };
}

function descendants(root: number): number[] {
  const found = [root];
  if (process.platform !== "linux") return found;
  const parents = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0)
    .map((pid) => ({ pid, parent: Number(fieldsOfStat(pid)[1]) }));
  for (const pid of found) for (const child of parents) if (child.parent === pid) found.push(child.pid);
  return found;
}

/** Children of a process that were there, by process id. */
export function childrenOf(root: number): number[] {
  return descendants(root).filter((pid) => pid !== root);
}

/** The fields of /proc/PID/stat after the command, which may itself hold spaces; empty for a process that is gone. */
function fieldsOfStat(pid: number): string[] {
  const text = read(pid, "stat");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function numberIn(pid: number, file: string, pattern: RegExp): number {
  return Number(pattern.exec(read(pid, file))?.[1] ?? 0);
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
