import { outputsMax } from "@headgate/model";
import type { AnyAsset } from "../asset.ts";
import { isEdge } from "../edge.ts";
import type { AnyMultiAsset } from "../multi-asset.ts";
import type { OutputAsset } from "../output-assets.ts";
import { describePartitions } from "./describe-partitions.ts";
import type { FieldRule } from "./fields.ts";
import {
  anything,
  callable,
  checkFields,
  describeValue,
  filledText,
  flag,
  record,
  refuseFailedModule,
} from "./fields.ts";
import { nearestName } from "./nearest-name.ts";
import { isSelf } from "../self.ts";
import { DefinitionProblem } from "./problem.ts";

/** The fields that a multi-asset has beside those that it hands on to its assets, whose rules are theirs. */
const multiFields: Readonly<Record<string, FieldRule>> = {
  kind: anything,
  assets: record,
  deps: record,
  canSubset: flag,
  resources: record,
  config: anything,
  io: anything,
  automation: anything,
  retry: anything,
  timeoutMs: anything,
  attemptLeaseMs: anything,
  gateTimeoutMs: anything,
  pool: anything,
  inPlace: anything,
  codeVersion: filledText,
  // Refused where each asset is described.
  batch: anything,
  checks: record,
  requiredChecks: record,
  formerly: record,
  compute: callable,
};

/**
 * What is wrong with a multi-asset as a whole, whichever of its assets is asked for.
 *
 * @throws DefinitionProblem
 */
export function checkMultiAsset(multi: AnyMultiAsset): void {
  const keys = Object.values(multi.assets).map((spec) => String(spec?.key));
  const what = `the multi-asset of ${keys.slice(0, 3).join(", ")}${keys.length > 3 ? ", ..." : ""}`;
  checkFields(what, multi, multiFields);
  checkNames(what, multi);
  if (keys.length > outputsMax) {
    throw new DefinitionProblem(
      "definition.invalid",
      `${what} has ${keys.length} assets; ${outputsMax} is the most that one call computes.`,
      "Make several multi-assets of it.",
    );
  }
}

/** What is said by output is said of one that there is. */
function checkNames(what: string, multi: AnyMultiAsset): void {
  const names = Object.keys(multi.assets);
  for (const field of ["checks", "requiredChecks", "formerly"] as const) {
    const strange = Object.keys(multi[field] ?? {}).find((name) => !names.includes(name));
    if (strange === undefined) continue;
    const nearest = nearestName(strange, names);
    throw new DefinitionProblem(
      "definition.invalid",
      `\`${field}\` of ${what} names "${strange}", which is none of its outputs.`,
      nearest === undefined ? `Its outputs are ${names.join(", ")}.` : `Did you mean ${nearest}?`,
    );
  }
}

/**
 * What is wrong with one asset of a multi-asset beside what can be wrong with any asset.
 *
 * @throws DefinitionProblem
 */
export function checkOutput({ asset, multi, name }: OutputAsset): void {
  const given: unknown = multi.assets[name];
  const what = `The asset "${name}" of a multi-asset`;
  refuseFailedModule(what, given);
  if (typeof given !== "object" || given === null) {
    throw new DefinitionProblem(
      "definition.invalid",
      `${what} is ${describeValue(given)}.`,
      "Make it with assetSpec({ key, ... }); if it is imported, an import cycle is the usual reason.",
    );
  }
  if ((given as Partial<AnyAsset>).compute !== undefined) {
    throw new DefinitionProblem(
      "definition.invalid",
      `${what}, ${asset.key}, has a compute function of its own.`,
      "Give its spec, made with assetSpec({ ... }): the multi-asset computes it.",
    );
  }
  checkPartitions(asset, multi);
  checkSiblings(asset, multi);
}

function checkPartitions(asset: AnyAsset, multi: AnyMultiAsset): void {
  const [first] = Object.values(multi.assets);
  const text = (partitions: AnyAsset["partitions"]): string => JSON.stringify(describePartitions(partitions) ?? null);
  if (first === undefined || text(asset.partitions) === text(first.partitions)) return;
  throw new DefinitionProblem(
    "definition.partitions_differ",
    `asset ${asset.key} has other partitions than ${first.key}, which the same call computes.`,
    "Give all assets of a multi-asset the same `partitions`, or compute this one apart.",
  );
}

/** Not even an earlier window of one: what each asset of the multi-asset reads would be another. */
function checkSiblings(asset: AnyAsset, multi: AnyMultiAsset): void {
  const keys = new Set(Object.values(multi.assets).map((spec) => spec?.key));
  for (const [name, dependency] of Object.entries(multi.deps)) {
    const upstream = isEdge(dependency) ? dependency.upstream : dependency;
    if (!isSelf(upstream) && !keys.has(upstream?.key)) continue;
    throw new DefinitionProblem(
      "definition.sibling_dependency",
      `Dependency "${name}" of asset ${asset.key} is ${isSelf(upstream) ? "`self`" : upstream.key}, which the same call computes.`,
      "Compute it from what the call has at hand, and take it out of `deps`; or compute the two apart.",
    );
  }
}
