import { readFileSync, readdirSync } from "node:fs";
import { commandLine } from "../../control-plane/src/processes/process-identity.ts";

/** The name of an environment variable that every process below a deployment inherits. */
export const markName = "HEADGATE_E2E_MARK";

/** Processes that carry the mark, whoever their parent is by now. Linux only: elsewhere none is found. */
export function markedProcesses(mark: string): { readonly pid: number; readonly command: string }[] {
  if (process.platform !== "linux") return [];
  const needle = `${markName}=${mark}`;
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!(pid > 0) || pid === process.pid) return [];
    try {
      if (!readFileSync(`/proc/${name}/environ`, "utf8").split("\0").includes(needle)) return [];
    } catch {
      return []; // It ended meanwhile, or is another account's.
    }
    const command = commandLine(pid) ?? "";
    return command === "" ? [] : [{ pid, command }];
  });
}
