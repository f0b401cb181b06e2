import { schedule } from "@headgate/sdk";
import { halfYearSummary } from "./assets/half-year-summary.ts";

/** Whatever has happened meanwhile, the report is not older than a month. */
export const monthlySummary = schedule({
  name: "analytics/monthly_summary",
  description: "the summary anew on the first of every month, before people come to work",
  cron: "0 6 1 * *",
  timezone: "America/New_York",
  target: halfYearSummary,
});
