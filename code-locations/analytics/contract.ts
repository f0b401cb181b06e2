// The only file of team "analytics" that another team may import.
import { assetSpec } from "@headgate/sdk";
import { z } from "zod";

export const halfYearSummary = assetSpec({
  key: "analytics/half_year_summary",
  description: "A report in Markdown over every month that passed its checks, and which months it leaves out.",
  value: z.string().startsWith("# "),
  group: "reports",
  kinds: ["markdown"],
  export: true,
});
