export { materialize } from "./testing/materialize.ts";
export type { MaterializedPartition, MaterializeOptions, MaterializeResult } from "./testing/materialize.ts";
export { testContext } from "./testing/test-context.ts";
export type { Reported, TestContextOptions } from "./testing/test-context.ts";
