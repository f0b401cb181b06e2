import type { AnySpec } from "./asset-spec.ts";

declare const selfMarker: unique symbol;

/** See `self`. */
export interface Self extends AnySpec {
  readonly [selfMarker]: true;
  readonly partitions: undefined;
}

/**
 * The asset itself, among its own `deps`: `{ previous: windowOffset(self, -1) }` reads the window before. Only earlier
 * windows can be read. The value is undefined for the first window, before which there is nothing; the asset declares
 * its `value`, since a type cannot be inferred from itself.
 */
export const self: Self = Object.freeze({ kind: "self", key: "", value: undefined, partitions: undefined }) as never;

/** Not by identity: a location's code may hold another copy of this package than its worker. */
export function isSelf(upstream: unknown): upstream is Self {
  return typeof upstream === "object" && upstream !== null && (upstream as { kind?: unknown }).kind === "self";
}
