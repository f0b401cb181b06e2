import type { Run } from "./run-state.ts";

/** Runs of one team that hold a slot at one daemon, at most. */
export const heldMax = 500;

/** Runs of one team in a daemon's memory: those that wait without a slot cost nothing but memory. */
export const keptMax = 5_000;

/**
 * How many more runs of each team may hold a slot at the daemon that has these in memory, of which `asking` ask for one
 * again. A team that has many leaves those of others their room. Where memory is full of runs that wait, none is added;
 * once one of them can go on its team has room all the same, or all of them would wait for each other.
 */
export function roomAt(runs: Iterable<Run>, asking: readonly Run[]): (team: string) => number {
  const held = new Map<string, number>();
  const kept = new Map<string, number>();
  const returning = new Set(asking.map(({ place }) => place.team));
  for (const { place, holdsSlot } of runs) {
    kept.set(place.team, (kept.get(place.team) ?? 0) + 1);
    if (holdsSlot) held.set(place.team, (held.get(place.team) ?? 0) + 1);
  }
  return (team) => {
    const slots = heldMax - (held.get(team) ?? 0);
    return returning.has(team) ? slots : Math.min(slots, keptMax - (kept.get(team) ?? 0));
  };
}
