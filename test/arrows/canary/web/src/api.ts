// violates: web-shares-types-only
// violates: web-through-the-http-contract
import { Answer } from "../../control-plane/src/http/contract.ts";
import type { plan } from "../../control-plane/src/domain/plan.ts";
export const api = [Answer, undefined as unknown as typeof plan];
