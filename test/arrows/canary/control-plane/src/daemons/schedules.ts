// violates: no-cycles
import type { Sensors } from "./sensors.ts";
export interface Schedules {
  next: Sensors;
}
