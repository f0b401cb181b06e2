/** A page asked for by its position: what comes after the last item of the page before. */
export interface PageRequest<Position> {
  readonly limit: number;
  readonly after?: Position;
}

export interface Page<T, Position> {
  readonly items: readonly T[];
  /** Where the next page begins; undefined on the last. */
  readonly next: Position | undefined;
}

/** Makes a page of rows of which one more than `limit` was read, to know whether there are others. */
export function pageOf<T, Position>(
  rows: readonly T[],
  limit: number,
  position: (row: T) => Position,
): Page<T, Position> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? position(last) : undefined };
}
