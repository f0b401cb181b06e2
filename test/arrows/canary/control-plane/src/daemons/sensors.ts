import type { Schedules } from "./schedules.ts";
import type { Transaction } from "kysely";
export const sensors = (schedules: Schedules, tx: Transaction<unknown>) => [schedules, tx];
export type Sensors = typeof sensors;
