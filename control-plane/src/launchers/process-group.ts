import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** The operating system tells nobody of the end of a process that is not one's own child: look. */
const pollMs = 10;

/**
 * Kills every process of the group and resolves once it is certain that none is left. A group is named by the number
 * of the process that was started with `detached: true`; what left the group by a session of its own is not in it.
 */
export async function endProcessGroup(group: number): Promise<void> {
  while (hasLiveMember(group)) {
    signalGroup(group, "SIGKILL");
    await delay(pollMs);
  }
}

function hasLiveMember(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  // A member that is dead but not reaped still takes signals, and in a container whose first process reaps nobody it
  // would do so for ever.
  return process.platform === "linux" ? linuxHasLiveMember(group) : psHasLiveMember(group);
}

/** False if there is no such group. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function linuxHasLiveMember(group: number): boolean {
  return readdirSync("/proc").some((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, , memberOf] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return memberOf === String(group) && state !== "Z" && state !== "X";
    } catch {
      return false;
    }
  });
}

function psHasLiveMember(group: number): boolean {
  const lines = execFileSync("ps", ["-A", "-o", "pgid=,stat="], { encoding: "utf8" }).split("\n");
  return lines.some((line) => {
    const [memberOf, state] = line.trim().split(/\s+/);
    return memberOf === String(group) && state?.startsWith("Z") === false;
  });
}
