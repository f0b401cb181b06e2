// Runs in the worker processes of the locations under test; test/support/ledger.ts is the other side.
import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ComputeContext } from "@headgate/sdk";

type Step = Pick<ComputeContext, "assetKey" | "versionId" | "runId" | "attemptNumber" | "signal"> & {
  readonly partition?: unknown;
};

const folder = process.env["LEDGER"] ?? "";
const doorPollMs = 20;

/** One line, appended in one write: whatever kills this process leaves whole lines. */
export function note(what: "start" | "end" | "aborted", step: Step): void {
  const { assetKey, versionId, runId, attemptNumber } = step;
  const partition = (step.partition as { key: string } | undefined)?.key ?? "";
  const entry = { what, asset: assetKey, partition, version: versionId, run: runId, attempt: attemptNumber };
  appendFileSync(join(folder, "ledger.jsonl"), `${JSON.stringify({ ...entry, pid: process.pid })}\n`);
}

/** Notes its start, waits until the test opens the door, notes its end. */
export async function throughDoor(door: string, step: Step): Promise<void> {
  note("start", step);
  const file = join(folder, "doors", door);
  while (!existsSync(file)) {
    if (step.signal.aborted) {
      note("aborted", step);
      throw step.signal.reason;
    }
    await delay(doorPollMs);
  }
  note("end", step);
}
