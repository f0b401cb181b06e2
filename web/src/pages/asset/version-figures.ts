import type { ItemOf } from "../../api/answers.ts";

export interface Figure {
  readonly name: string;
  /** Unix seconds, ascending. */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

const figuresMax = 6;

/** Numbers that several versions report under one name, in the order in which the versions were made. */
export function figuresOf(versions: readonly ItemOf<"listVersions">[]): readonly Figure[] {
  const found = new Map<string, { times: number[]; values: number[] }>();
  for (const { createdAt, metadata } of [...versions].reverse()) {
    for (const { name, kind, value } of metadata) {
      if ((kind !== "number" && kind !== "integer") || typeof value !== "number") continue;
      const figure = found.get(name) ?? { times: [], values: [] };
      found.set(name, figure);
      figure.times.push(Date.parse(createdAt) / 1_000);
      figure.values.push(value);
    }
  }
  return [...found]
    .filter(([, { values }]) => values.length > 1)
    .slice(0, figuresMax)
    .map(([name, figure]) => ({ name, ...figure }));
}
