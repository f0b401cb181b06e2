/** Longer than this no failing sensor waits, unless its own interval is longer. */
const backoffMsMax = 600_000;
const backoffMsMin = 1_000;

/**
 * How long after the start of an evaluation the next one begins. After failures it doubles, from the sensor's interval or
 * a second up to ten minutes, and up to a fifth more is left to chance, so that sensors that failed together come apart.
 *
 * @param failures in a row
 * @param random 0 to 1
 */
export function sensorDelayMs(minimumIntervalMs: number, failures: number, random: number): number {
  if (failures === 0) return minimumIntervalMs;
  const first = Math.max(minimumIntervalMs, backoffMsMin);
  const full = Math.min(first * 2 ** Math.min(failures - 1, 30), Math.max(backoffMsMax, minimumIntervalMs));
  return Math.round(full * (1 + random / 5));
}
