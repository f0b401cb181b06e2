import pg from "pg";
import { plan } from "../../control-plane/src/domain/plan.ts";
export const database = [pg, plan];
