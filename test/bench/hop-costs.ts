import { setTimeout as delay } from "node:timers/promises";
import type { BenchDeployment, Snapshot } from "./bench-deployment.ts";
import type { Figure } from "./benchmark.ts";

const idleMs = 8_000;
const bytesPerMegabyte = 1_000_000;

/** What one hop costs beside time, over all runs of a measurement. */
export interface HopCosts {
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
  readonly raw: unknown;
}

/**
 * Measures what `work` costs a hop, `hops` in all: transactions and log syncs with the idle rate taken off, write calls,
 * CPU; and the memory in the end. Takes half a minute longer than `work`, because Postgres counts late.
 */
export async function measureHopCosts(
  headgate: BenchDeployment,
  hops: number,
  work: () => Promise<void>,
): Promise<HopCosts> {
  await headgate.settleCounters();
  const idleFrom = await headgate.snapshot();
  await delay(idleMs);
  const before = await headgate.snapshot();
  await work();
  const worked = await headgate.snapshot();
  await headgate.settleCounters();
  const after = await headgate.snapshot();

  // The counters are read after a wait, during which the background went on.
  const elapsedMs = after.atMs - before.atMs;
  const aHop = (pick: (snapshot: Snapshot) => number) => {
    const idleRate = (pick(before) - pick(idleFrom)) / (before.atMs - idleFrom.atMs);
    return (pick(after) - pick(before) - idleRate * elapsedMs) / hops;
  };
  const idleAS = (pick: (snapshot: Snapshot) => number) =>
    ((pick(before) - pick(idleFrom)) * 1_000) / (before.atMs - idleFrom.atMs);

  const figures: Figure[] = [
    { name: "transactions a hop, idle rate taken off", unit: "", values: [aHop((s) => s.transactions)] },
    { name: "log syncs a hop, idle rate taken off", unit: "", values: [aHop((s) => s.walSyncs)] },
  ];
  const names = Object.keys(worked.usage).sort();
  const usage = (snapshot: Snapshot, name: string) => snapshot.usage[name];
  for (const name of names) {
    // Postgres sends with another call than the one that the kernel counts here.
    if (name === "postgres") continue;
    const writes = (usage(worked, name)?.writes ?? 0) - (usage(before, name)?.writes ?? 0);
    figures.push({ name: `write calls a hop: ${name}`, unit: "", values: [writes / hops] });
  }
  for (const name of names) {
    const cpuMs = (usage(worked, name)?.cpuMs ?? 0) - (usage(before, name)?.cpuMs ?? 0);
    figures.push({ name: `CPU a hop: ${name}`, unit: "ms", values: [cpuMs / hops] });
    figures.push({ name: `CPU: ${name}`, unit: "s", values: [cpuMs / 1_000] });
  }
  for (const name of names) {
    const { peakBytes = 0, proportionalBytes = 0 } = usage(after, name) ?? {};
    const bytes = name === "postgres" ? proportionalBytes : peakBytes;
    figures.push({ name: `memory: ${name}`, unit: "MB", values: [bytes / bytesPerMegabyte] });
  }
  const idle = `idle, a second: ${idleAS((s) => s.transactions).toFixed(1)} transactions, ${idleAS((s) => s.walSyncs).toFixed(1)} log syncs`;
  const memory = "memory: peak of each process, added up; of Postgres the share of its processes in the end";
  return { figures, notes: [idle, memory], raw: { idleFrom, before, worked, after } };
}
