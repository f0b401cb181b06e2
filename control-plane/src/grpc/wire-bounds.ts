import { WireError } from "./wire-error.ts";

const listLengthMax = 10_000;
/** What a timer of Node can wait: 24 days. */
const durationMsMax = 2_147_483_647;
const int32Max = 2_147_483_647;

/** @throws WireError `wire.too_large` */
export function bounded<T>(field: string, list: readonly T[], lengthMax = listLengthMax): readonly T[] {
  if (list.length <= lengthMax) return list;
  throw new WireError("wire.too_large", `${field} has ${list.length} items, of at most ${lengthMax}`);
}

/** @throws WireError `wire.out_of_range` */
export function durationMs(field: string, value: number): number {
  if (value <= durationMsMax) return value;
  throw new WireError("wire.out_of_range", `${field} is ${value}, of at most ${durationMsMax} (24 days)`);
}

/** @throws WireError `wire.out_of_range` */
export function int32(field: string, value: number): number {
  if (value <= int32Max) return value;
  throw new WireError("wire.out_of_range", `${field} is ${value}, of at most ${int32Max}`);
}
