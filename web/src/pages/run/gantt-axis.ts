/*
 * The time axis of a run. Stretches in which nothing happens, such as a wait of hours for a gate, would press all that
 * happened into a few pixels: each is folded to a fixed small part of the axis.
 */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface GanttAxis {
  /** 0 to 1. */
  readonly positionOf: (ms: number) => number;
  /** Folded stretches: where on the axis, and how long they were. */
  readonly folds: readonly { readonly from: number; readonly to: number; readonly ms: number }[];
}

/** A gap is folded if it is longer than this part of all that happened. */
const foldFrom = 0.25;
/** What a folded gap takes of all that happened. */
const foldTo = 0.06;

export function ganttAxis(spans: readonly Span[]): GanttAxis {
  const busy = merged(spans);
  const busyMs = Math.max(
    1,
    busy.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
  );
  const shownMs = (gapMs: number) => (gapMs > busyMs * foldFrom ? busyMs * foldTo : gapMs);
  let total = 0;
  const pieces = busy.map((span, i) => {
    const gapMs = i === 0 ? 0 : span.fromMs - (busy[i - 1]?.toMs ?? span.fromMs);
    const at = total + shownMs(gapMs);
    total = at + span.toMs - span.fromMs;
    return { ...span, at, gapMs };
  });
  const length = Math.max(1, total);
  return {
    positionOf: (ms) => {
      const next = pieces.findIndex(({ toMs }) => ms <= toMs);
      const piece = pieces[next];
      if (piece === undefined) return pieces.length === 0 ? 0 : 1;
      if (ms >= piece.fromMs) return (piece.at + ms - piece.fromMs) / length;
      const before = pieces[next - 1];
      if (before === undefined) return 0;
      const end = before.at + before.toMs - before.fromMs;
      return (end + ((ms - before.toMs) / Math.max(1, piece.gapMs)) * (piece.at - end)) / length;
    },
    folds: pieces.flatMap(({ at, gapMs }) =>
      gapMs > busyMs * foldFrom ? [{ from: (at - busyMs * foldTo) / length, to: at / length, ms: gapMs }] : [],
    ),
  };
}

/** Sorted, and those that overlap as one. */
function merged(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = result.at(-1);
    if (last === undefined || span.fromMs > last.toMs) result.push(span);
    else result[result.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) };
  }
  return result;
}
