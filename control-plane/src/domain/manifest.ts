import type { Definition, DefinitionError, DefinitionKind } from "./definitions.ts";

/** One line of a manifest: a definition by its hash, or why it did not load. */
export type ManifestEntry = {
  readonly kind: DefinitionKind;
  /** See `definitionKey`; the path of a module. */
  readonly key: string;
} & (
  { readonly hash: string; readonly error?: undefined } | { readonly hash?: undefined; readonly error: DefinitionError }
);

/** What a code location defines, by hash. */
export interface Manifest {
  readonly definitionsHash: string;
  readonly buildId: string;
  readonly entries: readonly ManifestEntry[];
}

/** A definition that came over the wire: read and validated, or why not. */
export type ReceivedDefinition =
  { readonly ok: true; readonly definition: Definition } | { readonly ok: false; readonly error: DefinitionError };
