import type { z } from "zod";
import type { SensorNode } from "../domain/graph.ts";
import type { DefinitionErrorRow } from "../storage/schema.ts";
import type { RefusedRequestRow, SensorRow, SensorTickRow } from "../storage/sensors-read.ts";
import type { sensorRoutes } from "./contract/sensor-routes.ts";
import { presentTime, presentTimeOrNull } from "./present-run.ts";

export type SensorAnswer = z.input<(typeof sensorRoutes)["getSensor"]["answer"]>;
export type TickAnswer = z.input<(typeof sensorRoutes)["getSensorTick"]["answer"]>;

export function presentSensor(node: SensorNode, row: SensorRow): SensorAnswer {
  const { definition, error, targets } = node;
  const isOn = row.is_on ?? !definition.startsOff;
  const isAway = row.location_state !== "healthy";
  const why = row.location_error?.message ?? `location ${row.location} is ${row.location_state}`;
  return {
    name: node.name,
    team: node.team,
    location: node.location,
    description: definition.description,
    targets: targets.map(({ key }) => key),
    minimumIntervalMs: definition.minimumIntervalMs,
    timeoutMs: definition.timeoutMs,
    status: isOn ? "on" : "off",
    switchedBy: row.switched_by,
    switchedAt: presentTimeOrNull(row.switched_at),
    cursor: presentCursor(row.cursor),
    failures: row.failures,
    dueAt: presentTimeOrNull(row.due_at),
    evaluatedAt: presentTimeOrNull(row.evaluated_at),
    isEvaluating: row.claimed_by !== null,
    paused: isOn && isAway ? { reason: why } : null,
    problem: error === undefined ? null : { code: error.code, message: error.message, hint: error.hint },
    lastTick: row.lastTick === undefined ? null : presentTick(row.lastTick),
    file: definition.source.file === "" ? null : definition.source.file,
    line: definition.source.line === 0 ? null : definition.source.line,
  };
}

export function presentTick(row: SensorTickRow): TickAnswer {
  return {
    id: row.id,
    state: row.state,
    reason: row.reason,
    error: presentError(row.error),
    askedBy: row.asked_by,
    runCount: row.run_count,
    repeatedCount: row.repeated_count,
    refusedCount: row.refused_count,
    refused: (row.refused as RefusedRequestRow[]).map(({ runKey, targets, partitions, code, message, hint }) => {
      return { runKey: runKey ?? null, targets: [...targets], partitions, code, message, hint };
    }),
    evaluationCount: row.evaluation_count,
    cursorBefore: presentCursor(row.cursor_before),
    cursorAfter: presentCursor(row.cursor_after),
    log: row.log,
    logDroppedBytes: row.log_dropped_bytes,
    createdAt: presentTime(row.created_at),
    endedAt: presentTimeOrNull(row.ended_at),
  };
}

function presentError(error: DefinitionErrorRow | null) {
  return error === null ? null : { code: error.code, message: error.message, hint: error.hint ?? "" };
}

/** Cursors are JSON, of which what is stored is the text. */
function presentCursor(text: string | null): unknown {
  return text === null ? null : JSON.parse(text);
}
