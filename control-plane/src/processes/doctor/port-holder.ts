import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { commandLine } from "../process-identity.ts";

export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

const listening = "0A";
const commandLengthMax = 80;

/** Who listens on a TCP port of this machine; undefined where the operating system does not tell, as for others' processes. */
export function portHolder(port: number): PortHolder | undefined {
  if (process.platform !== "linux") return undefined;
  const sockets = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => listeners(file, port)));
  if (sockets.size === 0) return undefined;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || !holdsOne(name, sockets)) continue;
    const pid = Number(name);
    // The program alone: its arguments may hold what is nobody's business.
    return { pid, command: (commandLine(pid)?.split(" ", 1)[0] ?? "?").slice(0, commandLengthMax) };
  }
  return undefined;
}

function listeners(file: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(suffix) === true && state === listening)
      .flatMap((columns) => columns[9] ?? []);
  } catch {
    return [];
  }
}

function holdsOne(pid: string, sockets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && sockets.has(inode);
    });
  } catch {
    // It ended meanwhile, or is another account's.
    return false;
  }
}
