import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import type { AnyAsset } from "../asset.ts";
import type { Definitions } from "../definitions.ts";
import { ioManagersOf } from "../definitions.ts";
import { DefinitionsDescriber } from "../describe/describe-definitions.ts";
import type { DescribedDefinitions } from "../describe/describe-definitions.ts";
import type { IoManager } from "../io-manager.ts";
import { CodeBase } from "./code-base.ts";
import type { BundleReference } from "./worker-protocol.ts";

/** A location's code, imported into this process. */
export interface LoadedCode {
  readonly team: string;
  readonly codeBase: CodeBase;
  readonly described: DescribedDefinitions;
  readonly ioManagers: readonly IoManager[];
  readonly codeVersionOf: (asset: AnyAsset) => string;
}

/** Imports a bundle. Throws what its top level throws. */
export async function loadCode(bundle: BundleReference): Promise<LoadedCode> {
  const codeBase = new CodeBase(bundle);
  const module = (await import(pathToFileURL(bundle.entry).href)) as { readonly default?: unknown };
  const codeVersionOf = (asset: AnyAsset) => asset.codeVersion ?? derivedCodeVersion(codeBase, asset);
  const described = new DefinitionsDescriber(codeBase, bundle.entrySource, codeVersionOf).describe(module.default);
  const definitions = module.default as Partial<Definitions> | undefined;
  const ioManagers = ioManagersOf(definitions?.io);
  return { team: String(definitions?.team ?? ""), codeBase, described, ioManagers, codeVersionOf };
}

/**
 * The code version of an asset whose author gave none: the hash of the module that constructs it, without white space
 * and comments. What that module imports does not count, so that an edit of one file does not make every asset stale.
 */
function derivedCodeVersion(codeBase: CodeBase, asset: AnyAsset): string {
  const frame = codeBase.siteFrameOf(asset);
  const hash = frame && codeBase.hashOf(frame.file);
  if (hash !== undefined) return `source:${hash.slice(0, 16)}`;
  return `compute:${createHash("sha256").update(String(asset.compute)).digest("hex").slice(0, 16)}`;
}
