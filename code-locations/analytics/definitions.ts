// The one file that `headgate serve code-locations/analytics` loads.
import { definitions } from "@headgate/sdk";
import { airportDayDelays } from "./assets/airport-day-delays.ts";
import { halfYearSummary } from "./assets/half-year-summary.ts";
import { routeDelays } from "./assets/route-delays.ts";
import { plausibleAverages } from "./checks.ts";
import { io } from "./resources.ts";
import { monthlySummary } from "./schedules.ts";

export default definitions({
  team: "analytics",
  io,
  assets: [routeDelays, airportDayDelays, halfYearSummary],
  checks: [plausibleAverages],
  schedules: [monthlySummary],
});
