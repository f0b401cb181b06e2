import type { SensorNode } from "../domain/graph.ts";
import type { NewEvent } from "./append-events.ts";
import { type NewRun, runQueued } from "./create-run.ts";
import type { LaunchedTick, QuietTick, SensorClaim } from "./sensors.ts";

const runIdsInEventMax = 20;

const eventKinds = { launched: "tick_launched", skipped: "tick_skipped", failed: "tick_failed" } as const;

/** What the log says of an evaluation that asked for runs, and of these. */
export function launchedTickEvents(tick: LaunchedTick, { location }: SensorNode, runs: readonly NewRun[]): NewEvent[] {
  const { id, claim, state, repeatedCount, refused } = tick;
  const payload = {
    ...tickPayload(claim, id, tick),
    ...(runs.length === 0 ? {} : { runs: runs.slice(0, runIdsInEventMax).map((run) => run.id), runCount: runs.length }),
    ...(repeatedCount === 0 ? {} : { repeatedCount }),
    ...(refused.length === 0 ? {} : { refusedCount: refused.length }),
  };
  return [{ kind: eventKinds[state], location, payload }, ...runs.map(runQueued)];
}

/** What it says of one that did not, where that failed or was asked for. */
export function quietTickEvent(tick: QuietTick): NewEvent {
  const { claim, id, state } = tick;
  return { kind: eventKinds[state], payload: tickPayload(claim, claim.tick?.id ?? id, tick) };
}

function tickPayload(
  { name, tick }: SensorClaim,
  id: string,
  { reason, error }: Pick<QuietTick, "reason" | "error">,
): Record<string, unknown> {
  return {
    automation: name,
    automationKind: "sensor",
    tick: id,
    scheduledAt: null,
    ...(tick?.askedBy ? { askedBy: tick.askedBy } : {}),
    ...(reason === "" ? {} : { reason }),
    ...(error === undefined ? {} : { error }),
  };
}
