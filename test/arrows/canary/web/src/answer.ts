import type { Answer } from "../../control-plane/src/http/contract.ts";
export type Shown = Answer;
