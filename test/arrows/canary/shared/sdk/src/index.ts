// violates: sdk-root-is-pure
export { hash } from "./hash.ts";
export type { StandardSchemaV1 } from "@standard-schema/spec";
