import { type PartitionStatus, type StatusRange, partitionStatuses } from "./status.ts";

/** Neighbouring partitions of one status. */
export interface StatusRun {
  readonly status: PartitionStatus;
  /** An ordinal. */
  readonly start: number;
  readonly count: number;
}

const rankOf = new Map(partitionStatuses.map((status, i) => [status, i]));

/**
 * The partitions in their order as runs of one status, `runsMax` at most. Where there are more, neighbours are drawn
 * together and the status that most needs an eye stands for them, so that no failure vanishes between two pixels.
 */
export function statusRuns(ranges: readonly StatusRange[], runsMax: number): readonly StatusRun[] {
  const runs = ranges
    .flatMap(({ status, set }) => set.map(([start, end]) => ({ status, start, count: end - start })))
    .sort((a, b) => a.start - b.start);
  if (runs.length <= runsMax) return runs;
  const last = runs.at(-1);
  const total = last === undefined ? 0 : last.start + last.count;
  const width = Math.ceil(total / runsMax);
  const worst: PartitionStatus[] = [];
  for (const { status, start, count } of runs) {
    for (let bucket = Math.floor(start / width); bucket * width < start + count; bucket++) {
      const before = worst[bucket];
      if (before === undefined || rank(status) < rank(before)) worst[bucket] = status;
    }
  }
  return joined(worst, width, total);
}

function rank(status: PartitionStatus): number {
  return rankOf.get(status) ?? 0;
}

function joined(worst: readonly PartitionStatus[], width: number, total: number): readonly StatusRun[] {
  const result: StatusRun[] = [];
  worst.forEach((status, bucket) => {
    const start = bucket * width;
    const count = Math.min(width, total - start);
    const last = result.at(-1);
    if (last?.status === status) result[result.length - 1] = { ...last, count: last.count + count };
    else result.push({ status, start, count });
  });
  return result;
}
