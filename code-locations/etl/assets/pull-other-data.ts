import { asset } from "@headgate/sdk";
import { otherSourceRows } from "../source.ts";

export const pullOtherData = asset({
  key: "etl/pull_other_data",
  description: "The rows of another source, with gaps.",
  group: "other",
  kinds: ["json"],
  compute: () => otherSourceRows(),
});
