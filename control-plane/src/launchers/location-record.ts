import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { ProcessIdentity } from "../processes/process-identity.ts";

/** What is kept about a location's process, so that a later `dev` finds it. */
export interface LocationRecord extends ProcessIdentity {
  /** Of all that the process was started with: another one means that it must be started again. */
  readonly fingerprint: string;
  /** Undefined until it listens. */
  readonly port: number | undefined;
  readonly instanceId: string | undefined;
}

const schema = z.object({
  pid: z.int().positive(),
  startTime: z.string(),
  fingerprint: z.string(),
  port: z.int().optional(),
  instanceId: z.string().optional(),
});

/** Undefined if there is none, or none that can be read. */
export function readLocationRecord(file: string): LocationRecord | undefined {
  try {
    const { port, instanceId, ...rest } = schema.parse(JSON.parse(readFileSync(file, "utf8")));
    return { ...rest, port, instanceId };
  } catch {
    return undefined;
  }
}

/** Written at once, not in the background: between a process's start and its record nobody could find it again. */
export function writeLocationRecord(file: string, record: LocationRecord): void {
  writeFileSync(`${file}.draft`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${file}.draft`, file);
}

export function removeLocationRecord(file: string): void {
  rmSync(file, { force: true });
}
