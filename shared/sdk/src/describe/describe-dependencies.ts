import type {
  Dependency as WireDependency,
  PartitionKeys,
  PartitionMapping as WireMapping,
  Require as WireRequire,
} from "@headgate/proto";
import { DependencyMode } from "@headgate/proto";
import { defaultMapping, mappingProblem, parseAssetKey, selfDependencyProblem } from "@headgate/model";
import type { PartitionMapping, PartitionSpace } from "@headgate/model";
import type { AnyAsset } from "../asset.ts";
import type { AnySpec } from "../asset-spec.ts";
import type { Dependency, EdgeMode, Require } from "../edge.ts";
import { isEdge, upstreamOf } from "../edge.ts";
import { readsItself } from "../input-shape.ts";
import { spaceOf } from "./describe-partitions.ts";
import { describeValue, refuseFailedModule, wholeNumber } from "./fields.ts";
import { DefinitionProblem } from "./problem.ts";
import { sortedRecord } from "./sorted-record.ts";

const modes: Record<EdgeMode, DependencyMode> = {
  strict: DependencyMode.DEPENDENCY_MODE_STRICT,
  lastValidated: DependencyMode.DEPENDENCY_MODE_LAST_VALIDATED,
  orderOnly: DependencyMode.DEPENDENCY_MODE_ORDER_ONLY,
};

/** @throws DefinitionProblem */
export function describeDependencies(asset: AnyAsset, space: PartitionSpace): WireDependency[] {
  return Object.entries(asset.deps).map(([name, dependency]) => describeDependency(asset, space, name, dependency));
}

function describeDependency(asset: AnyAsset, space: PartitionSpace, name: string, given: Dependency): WireDependency {
  const what = `Dependency "${name}" of asset ${asset.key}`;
  refuseFailedModule(what, given);
  const edge = isEdge(given) ? given : undefined;
  const upstream = given === undefined || given === null ? given : upstreamOf(given, asset);
  refuseFailedModule(what, upstream);
  checkUpstream(what, upstream);
  if (upstream.key === asset.key) checkSelf(what, asset, given, space);
  const mode = edge?.mode ?? "strict";
  if (mode === "lastValidated" && (upstream as Partial<AnyAsset>).inPlace === true) {
    throw new DefinitionProblem(
      "definition.last_validated_in_place",
      `${what} asks for the last validated version of ${upstream.key}, which is overwritten in place: older versions cannot be read.`,
      `Depend on ${upstream.key} itself, or let it keep its versions.`,
    );
  }
  const upstreamSpace = spaceOf(`asset ${upstream.key}`, upstream.partitions);
  checkMapping(what, edge?.mapping, upstreamSpace, space);
  return {
    name,
    assetKey: upstream.key,
    mode: modes[mode],
    mapping: edge?.mapping && describeMapping(edge.mapping),
    require: describeRequire(what, edge?.require),
  };
}

function checkSelf(what: string, asset: AnyAsset, given: Dependency, space: PartitionSpace): void {
  const mapping = isEdge(given) ? given.mapping : undefined;
  const why = selfDependencyProblem(mapping, space);
  if (why !== undefined) {
    throw new DefinitionProblem(
      "definition.cycle",
      `${what} leads back to ${asset.key} ${why}: a partition would wait for its own version.`,
      "Read earlier windows alone: windowOffset(self, -1), or windowOffset(self, -7, -1).",
    );
  }
  if (readsItself(given)) return;
  throw new DefinitionProblem(
    "definition.dependency_invalid",
    `${what} names ${asset.key} by its spec, whose type says that there is always a value to read; before the first partition there is none.`,
    "Write `self` for the asset itself, as in windowOffset(self, -1).",
  );
}

function checkUpstream(what: string, upstream: AnySpec | undefined): void {
  if (upstream === undefined || upstream === null) {
    throw new DefinitionProblem(
      "definition.dependency_undefined",
      `${what} is undefined.`,
      "The usual reason is an import cycle between the two modules, or a name that the module does not export.",
    );
  }
  if (typeof upstream === "object" && typeof upstream.key === "string" && parseAssetKey(upstream.key)) return;
  throw new DefinitionProblem(
    "definition.dependency_invalid",
    `${what} is ${describeValue(upstream)} and not an asset${typeof upstream === "object" ? ` with a valid key (${describeValue(upstream.key)})` : ""}.`,
    "Import the asset or its spec and write it there; a key as a text is no reference.",
  );
}

function checkMapping(
  what: string,
  given: PartitionMapping | undefined,
  upstream: PartitionSpace,
  space: PartitionSpace,
): void {
  if (given?.kind === "window" && ![given.startOffset, given.endOffset].every(wholeNumber(-1_000_000, 1_000_000).is)) {
    throw new DefinitionProblem(
      "definition.mapping_invalid",
      `${what}: the offsets of windowOffset are ${given.startOffset} and ${given.endOffset}.`,
      "Give whole numbers of upstream windows, for example windowOffset(x, -1).",
    );
  }
  for (const { upstream: name, mapping } of given?.kind === "dimensions" ? given.dimensions : []) {
    if (["identity", "window", "all", "last", "static"].includes(mapping.kind)) continue;
    throw new DefinitionProblem(
      "definition.mapping_invalid",
      `${what}: what mappedDimensions says of ${name} is no choice.`,
      'Write "all", "last", { offset }, { offsets }, { keys } or { from }.',
    );
  }
  const problem = mappingProblem(given ?? defaultMapping(upstream, space), upstream, space);
  if (problem === undefined) return;
  throw new DefinitionProblem("definition.mapping_invalid", `${what}: ${problem.message}`, problem.hint);
}

function describeMapping(mapping: PartitionMapping): WireMapping {
  switch (mapping.kind) {
    case "dimensions": {
      const dimensions = mapping.dimensions.map(({ upstream, downstream = "", mapping: of }) => {
        return { upstream, downstream, mapping: describeMapping(of) };
      });
      return { kind: { $case: "dimensions", value: { dimensions } } };
    }
    case "identity":
    case "all":
    case "last":
      return { kind: { $case: mapping.kind, value: {} } };
    case "window":
      return { kind: { $case: "window", value: { startOffset: mapping.startOffset, endOffset: mapping.endOffset } } };
    case "static": {
      const upstreamOf: Record<string, PartitionKeys> = {};
      for (const [key, keys] of Object.entries(sortedRecord(mapping.upstreamOf))) upstreamOf[key] = { keys: [...keys] };
      return { kind: { $case: "static", value: { upstreamOf } } };
    }
  }
}

function describeRequire(what: string, require: Require | undefined): WireRequire | undefined {
  if (require === undefined) return undefined;
  if (require === "every") return { atLeast: 0 };
  const atLeast = (require as { atLeast?: unknown } | null)?.atLeast;
  if (wholeNumber(1, 2_147_483_647).is(atLeast)) return { atLeast: atLeast as number };
  throw new DefinitionProblem(
    "definition.require_invalid",
    `"require" of ${what} is ${describeValue(require)}.`,
    'Write "every", or { atLeast: n } with n from 1.',
  );
}
