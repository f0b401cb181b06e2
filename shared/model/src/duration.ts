const unitsMs = [
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** `30s`, `5m`, `2h`, `7d`, `1w` (and `250ms`) in milliseconds; `undefined` if the text is no duration. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,12})(ms|s|m|h|d|w)$/.exec(text.trim());
  if (match === null) return undefined;
  const unitMs = unitsMs.find(([unit]) => unit === match[2])?.[1] ?? 1;
  const durationMs = Number(match[1]) * unitMs;
  return Number.isSafeInteger(durationMs) ? durationMs : undefined;
}

/**
 * The shortest text that `parseDurationMs` reads back as the same whole milliseconds: 90,000 is `90s`, 604,800,000 is
 * `1w`, 0 is `0s`. Fractions are rounded.
 *
 * @throws RangeError for a negative number, NaN or one past the safe integers.
 */
export function formatDurationMs(ms: number): string {
  const wholeMs = Math.round(ms);
  if (!Number.isSafeInteger(wholeMs) || wholeMs < 0) throw new RangeError(`${ms} ms is no duration`);
  if (wholeMs === 0) return "0s";
  const [unit, unitMs] = unitsMs.find(([, candidateMs]) => wholeMs % candidateMs === 0) ?? ["ms", 1];
  return `${wholeMs / unitMs}${unit}`;
}
