import type { ComputedReport } from "../../domain/attempt-report.ts";
import type { VersionView } from "../../domain/gate.ts";
import type { Attempt } from "./attempt.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import { bump, write } from "./written-assets.ts";

/** Records the version that an attempt has made, once. */
export function recordVersion(
  drive: DriveState,
  cycle: Cycle,
  attempt: Attempt,
  computed: ComputedReport,
  event: number,
): void {
  if (attempt.computed) return;
  attempt.computed = true;
  const { run, step, inputs } = attempt;
  const { asset, partition } = step.spec;
  const waivers = [...new Set(inputs.flatMap((input) => input.versions.flatMap((version) => version.waivers)))];
  cycle.flush.versions.push({
    id: attempt.versionId,
    assetKey: asset,
    partitionKey: partition,
    event,
    runId: run.id,
    attemptId: attempt.id,
    location: attempt.location,
    codeVersion: computed.codeVersion,
    dataVersion: computed.dataVersion,
    value: computed.value,
    metadata: [...computed.metadata],
    inputs,
    waivers,
  });
  const version: VersionView = {
    id: attempt.versionId,
    seq: Number.MAX_SAFE_INTEGER,
    partition,
    runId: run.id,
    createdAtMs: drive.world.now(),
    dataVersion: computed.dataVersion,
    codeVersion: computed.codeVersion,
    value: computed.value,
    metadata: computed.metadata,
    waivers,
    results: [],
    liveWaivers: [],
  };
  bump(drive, cycle, attempt);
  write(drive, cycle, attempt);
  drive.memory.addVersion(asset, version);
  cycle.versions.push({ asset, version, event });
}
