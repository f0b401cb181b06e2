import { asset } from "@headgate/sdk";
import { doNotCleanData } from "./do-not-clean-data.ts";

export const doOtherOperation = asset({
  key: "etl/do_other_operation",
  description: "The mean of what was not cleaned. It never runs: null counts as nothing, and the mean would be wrong.",
  group: "other",
  kinds: ["json"],
  deps: { rows: doNotCleanData },
  compute: ({ rows }) => ({ mean: rows.reduce((sum, row) => sum + (row.y ?? 0), 0) / rows.length }),
});
