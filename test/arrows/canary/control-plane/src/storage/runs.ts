// violates: storage-below-adapters
import pg from "pg";
import { plan } from "../domain/plan.ts";
import { asset } from "../http/assets.ts";
export const readRuns = [pg, plan, asset];
