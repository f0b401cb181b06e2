export { asset } from "./asset.ts";
export type { AnyAsset, Asset, AssetOptions, RequiredCheck } from "./asset.ts";
export { assetCheck } from "./asset-check.ts";
export type { AnyAssetCheck, AssetCheck, AssetCheckOptions, CheckResult, CheckSeverity } from "./asset-check.ts";
export { assetChecks } from "./asset-checks.ts";
export type {
  AnyAssetChecks,
  AssetChecks,
  AssetChecksOptions,
  GroupedCheck,
  GroupedChecks,
  Verdicts,
} from "./asset-checks.ts";
export { assetSpec } from "./asset-spec.ts";
export type { AnySpec, AssetSpec, AssetSpecOptions, PartitionsOfAsset, ValueOfAsset } from "./asset-spec.ts";
export type { Batch, BatchContext, BatchPartition, ByPartition } from "./batch.ts";
export { definitions } from "./definitions.ts";
export type { Definitions, DefinitionsOptions } from "./definitions.ts";
export { externalAsset } from "./external-asset.ts";
export type { AnyExternalAsset, ExternalAsset, ExternalAssetOptions } from "./external-asset.ts";
export type { ComputedCheck, ComputedChecks, ReportedCheck, ReportedChecks } from "./reported-checks.ts";
export {
  allPartitions,
  lastPartition,
  lastValidated,
  mappedDimensions,
  mappedPartitions,
  orderOnly,
  windowOffset,
} from "./edge.ts";
export type {
  Dependencies,
  Dependency,
  DimensionChoice,
  Edge,
  EdgeMode,
  InputsOf,
  Partitioned,
  Require,
} from "./edge.ts";
export { ioManager } from "./io-manager.ts";
export type { IoContext, IoManager, IoManagerOptions, ValueReference, WrittenReference } from "./io-manager.ts";
export type {
  JsonValue,
  Metadata,
  MetadataInput,
  MetadataValue,
  SourceColumn,
  TableCell,
  TableColumn,
} from "./metadata.ts";
export {
  cronPartitions,
  dailyPartitions,
  dynamicPartitions,
  hourlyPartitions,
  monthlyPartitions,
  multiPartitions,
  staticPartitions,
  weeklyPartitions,
} from "./partitions.ts";
export type {
  AnyPartitions,
  DimensionPartitions,
  DynamicPartitions,
  MultiPartitions,
  PartitionOf,
  PartitionWindow,
  StaticPartitions,
  TimeWindowOptions,
  TimeWindowPartitions,
} from "./partitions.ts";
export { multiAsset } from "./multi-asset.ts";
export type {
  AnyMultiAsset,
  MultiAsset,
  MultiAssetOptions,
  MultiComputeContext,
  OutputChecks,
  OutputContext,
  Outputs,
  ReturnedOutputs,
} from "./multi-asset.ts";
export { Permanent } from "./permanent.ts";
export { env, secret } from "./reference.ts";
export type { EnvReference, SecretReference, Setting } from "./reference.ts";
export { resource } from "./resource.ts";
export type { Resource, ResourceContext, ResourceMap, ResourceOptions, ResourceValues } from "./resource.ts";
export { RetryLater } from "./retry-later.ts";
export { schedule } from "./schedule.ts";
export type { Schedule, ScheduleOptions, ScheduleTarget } from "./schedule.ts";
export { self } from "./self.ts";
export type { Self } from "./self.ts";
export { sensor } from "./sensor.ts";
export type { AnySensor, CursorInput, CursorOf, Sensor, SensorContext, SensorOptions, SensorResult } from "./sensor.ts";
export type { AddedPartitions, RunRequest } from "./run-request.ts";
export type { Log } from "./log.ts";
export type { CheckContext, ComputeContext, InputDetails, InputVersion } from "./step-context.ts";
export type { HeadgateTypeError } from "./type-error.ts";
export { valueOf } from "./value-declaration.ts";
export type { StoredValue, ValueDeclaration, ValueMarker, WrittenValue } from "./value-declaration.ts";
export { AssetCondition, AutomationCondition, DependencyCondition, UpdatedCondition, when } from "./when.ts";
export type { ComputeOptions, RetryOptions } from "./compute-options.ts";
export type { ConditionTree } from "./when.ts";
export type { DependencySelection } from "./dependency-selection.ts";
