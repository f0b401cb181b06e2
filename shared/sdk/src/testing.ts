export { materialize } from "./testing/materialize.ts";
export type { MaterializedPartition, MaterializeOptions, MaterializeResult } from "./testing/materialize.ts";
export type { MaterializeAssetOptions, MaterializedAsset } from "./testing/materialize-asset.ts";
export { partitioned } from "./testing/partitioned.ts";
export { runCheck } from "./testing/run-check.ts";
export type { CheckOutcome, RunCheckOptions } from "./testing/run-check.ts";
export { testContext } from "./testing/test-context.ts";
export type { Reported, TestContextOptions } from "./testing/test-context.ts";
