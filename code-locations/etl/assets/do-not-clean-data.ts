import { asset } from "@headgate/sdk";
import { pullOtherData } from "./pull-other-data.ts";

export const doNotCleanData = asset({
  key: "etl/do_not_clean_data",
  description: "The rows of the other source, passed on with their gaps. Its blocking check finds them.",
  group: "other",
  kinds: ["json"],
  deps: { pulled: pullOtherData },
  compute: ({ pulled }) => pulled,
});
