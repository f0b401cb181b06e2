import type { StandardSchemaV1 } from "@standard-schema/spec";

declare const markedType: unique symbol;

/** Says the type of a value to the compiler alone; nothing is validated when a step runs. */
export interface ValueMarker<T> {
  readonly kind: "valueMarker";
  readonly [markedType]: T;
}

/** What `value` of an asset may be: a Standard Schema (zod, valibot, arktype, ...), or `valueOf<T>()`. */
export type ValueDeclaration = StandardSchemaV1 | ValueMarker<unknown>;

/** The type that compute returns for this declaration. */
export type WrittenValue<S> =
  S extends StandardSchemaV1<infer Input, infer _Output> ? Input : S extends ValueMarker<infer T> ? T : unknown;

/** The type that checks and downstream assets receive for this declaration. */
export type StoredValue<S> =
  S extends StandardSchemaV1<infer _Input, infer Output> ? Output : S extends ValueMarker<infer T> ? T : unknown;

/** Declares the type of a value without a schema: `value: valueOf<Relation>()`. */
export function valueOf<T>(): ValueMarker<T> {
  return marker as ValueMarker<T>;
}

const marker = Object.freeze({ kind: "valueMarker" }) as unknown as ValueMarker<unknown>;
