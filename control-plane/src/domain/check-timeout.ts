import type { AssetNode } from "./graph.ts";

/** Of a check that names no timeout: nothing computes for ever. */
const timeoutDefaultMs = 86_400_000;
/** A check's timeout begins once the value is read, which takes as long as the value is large. */
const readingMs = 3_600_000;
/** The location lets a check that is out of time give way before it kills its process. */
const graceMs = 10_000;

/**
 * Milliseconds for a step that runs these checks at a location, one after the other: what they may take themselves,
 * whatever the asset's own timeout is, which another team's check knows nothing of.
 */
export function checkStepTimeoutMs(node: AssetNode | undefined, location: string, names: readonly string[]): number {
  const checks = node?.checks.filter((check) => check.location === location && names.includes(check.name)) ?? [];
  if (checks.length === 0) return timeoutDefaultMs;
  // With the asset's own code its checks are part of what its timeout is for.
  const own = node?.location === location ? node.definition.timeoutMs : 0;
  const total = checks.reduce((sum, { definition }) => {
    const limit = definition.timeoutMs || own || timeoutDefaultMs;
    return sum + limit + graceMs;
  }, readingMs);
  return Math.min(total, timeoutDefaultMs);
}
