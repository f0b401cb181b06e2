/** A line for the external assets of a selection, which no run makes. */
export function leftOutLines(leftOut: readonly string[]): string[] {
  if (leftOut.length === 0) return [];
  const shown = leftOut.slice(0, 10).join(", ");
  const more = leftOut.length > 10 ? ` and ${leftOut.length - 10} more` : "";
  return [`  left out, reported and not made by a run: ${shown}${more}`];
}
