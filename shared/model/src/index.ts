export { assetKeyRule, parseAssetKey, teamOf } from "./asset-key.ts";
export type { AssetKey } from "./asset-key.ts";
export { canonicalJson } from "./canonical-json.ts";
export { cleanText } from "./clean-text.ts";
export { closedWindows, timeWindowsOf, windowText } from "./closed-windows.ts";
export type { ClosedWindow } from "./closed-windows.ts";
export { formatDurationMs, parseDurationMs } from "./duration.ts";
export { ModelError } from "./model-error.ts";
export type { ModelErrorCode } from "./model-error.ts";
export { batchPartitionsMax, outputsMax } from "./computation-bounds.ts";
export {
  defaultMapping,
  downstreamPartitions,
  mappingProblem,
  mapsOneToOne,
  selfDependencyProblem,
  upstreamPartitions,
} from "./partition-mapping.ts";
export type { PartitionMapping } from "./partition-mapping.ts";
export type { DimensionMapping } from "./dimension-mapping.ts";
export type { SimpleMapping } from "./simple-mapping.ts";
export { formatPartitions, parsePartitions } from "./partition-selection.ts";
export type { ParsedPartitions } from "./partition-selection.ts";
export { dynamicKeyProblem, dynamicKeysMax } from "./partition-key.ts";
export { partitionSpace, sameSpace } from "./partition-space.ts";
export type { DynamicKeys } from "./partition-space.ts";
export type { PartitionSpace } from "./partition-space.ts";
export type { DimensionDefinition, NamedDimension, PartitionsDefinition } from "./partitions-definition.ts";
export { rangeSet } from "./range-set.ts";
export type { RangeSet } from "./range-set.ts";
export { cronsMax, tickTimes } from "./tick-times.ts";
export type { TickTimes } from "./tick-times.ts";
