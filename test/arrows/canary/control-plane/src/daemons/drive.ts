// violates: sql-in-storage
import { sql } from "kysely";
import { sensors } from "./sensors.ts";
import { fixture } from "./takes-a-fixture.ts";
export const drive = () => [sql, sensors, fixture];
