// violates: shared-below-everything
// violates: model-stands-alone
// violates: packages-by-name
export type { Answer } from "../../../control-plane/src/http/contract.ts";
