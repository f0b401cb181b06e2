import { exitStatus } from "../cli/exit-status.ts";
import type { Daemon } from "../daemons/daemon.ts";
import type { LocationSync } from "../daemons/location-sync.ts";
import { reasonText, remedies } from "../domain/reason-text.ts";
import type { Reason } from "../domain/reason.ts";
import { listLocations } from "../storage/locations-read.ts";
import { onceSummary } from "../storage/once-summary.ts";
import type { ControlPlane } from "./control-plane.ts";

const lookEveryMs = 50;

/**
 * Evaluates each sensor until it asks for nothing more, and waits until nothing is left to do: every location has loaded
 * or is reported, no run is queued or in flight, no condition requests anything, nothing is to be published. Prints what became of it. Returns the exit status that
 * `materialize` would have: the first that holds of failed, canceled, blocked, refused (a definition, an entry of the
 * workspace, or a location).
 */
export async function runOnce(plane: ControlPlane, daemon: Daemon, sync: LocationSync): Promise<number> {
  const { pool } = plane.database;
  const startedAt = new Date();
  await sync.ready();
  await plane.mirror.refresh();
  await daemon.sensors.settle();
  for (;;) {
    const requested = await daemon.automation.settle();
    const { open } = await onceSummary(pool, startedAt);
    if (requested === 0 && open === 0 && (await isStillQuiet(plane, daemon)) && daemon.publisher.isIdle) break;
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  const summary = await onceSummary(pool, startedAt);
  const held = daemon.automation.held;
  const lines = [
    "",
    `${summary.versions} versions of ${summary.assets} assets; runs: ${summary.succeeded} succeeded, ` +
      `${summary.failed} failed, ${summary.blocked} blocked, ${summary.canceled} canceled.`,
  ];
  const errors = plane.mirror.current().errors;
  const { problems } = plane.workspace;
  const silent = (await listLocations(plane.database.db)).filter(
    ({ state, removed_at }) => (state === "unreachable" || state === "refused") && removed_at === null,
  );
  if (problems.length + silent.length > 0) lines.push("", "Not loaded:");
  for (const { file, line, message, hint } of problems) lines.push(`  ${file}:${line}: ${message}`, `    ${hint}`);
  for (const { name, error } of silent) {
    if (problems.some(({ locationName }) => locationName === name)) continue;
    lines.push(`  ${name}: ${error?.message ?? "it did not answer"}`, `    ${error?.hint ?? "See its output."}`);
  }
  if (errors.length > 0) lines.push("", "Refused definitions:");
  for (const error of errors) lines.push(`  ${error.location}: ${error.key}: ${error.message}`, `    ${error.hint}`);
  if (summary.failures.length > 0) lines.push("", "Failed:");
  for (const { asset, partition, message } of summary.failures) lines.push(`  ${place(asset, partition)}: ${message}`);
  if (held.length > 0) lines.push("", "Blocked:");
  const roots = new Map<string, Reason>();
  for (const { node, partition, reasons } of held) {
    lines.push(`  ${place(node.key, partition)}`);
    for (const reason of reasons) roots.set(JSON.stringify(reason), reason);
  }
  if (roots.size > 0) lines.push("", "Because:");
  for (const reason of roots.values()) lines.push(`  ${reasonText(reason)}`);
  const ways = remedies([...roots.values()]).filter((remedy) => remedy.command !== "");
  if (ways.length > 0) lines.push("", "What opens it:");
  for (const { purpose, command } of ways) lines.push(`  ${purpose}:`, `    ${command}`);
  process.stdout.write(`${lines.join("\n")}\n`);
  if (summary.failed > 0) return exitStatus.failed;
  if (summary.canceled > 0) return exitStatus.canceled;
  if (held.length > 0 || summary.blocked > 0) return exitStatus.blocked;
  // What ran is good; what could not run was not even looked at.
  return errors.length + problems.length + silent.length > 0 ? exitStatus.refused : exitStatus.succeeded;
}

/** Between the two looks something may have ended and made room for a request. */
async function isStillQuiet(plane: ControlPlane, daemon: Daemon): Promise<boolean> {
  return (await daemon.automation.settle()) === 0 && (await onceSummary(plane.database.pool, new Date())).open === 0;
}

function place(asset: string, partition: string): string {
  return partition === "" ? asset : `${asset} ${partition}`;
}
