import { asset, when } from "@headgate/sdk";
import { published } from "../resources.ts";
import { cleanData } from "./clean-data.ts";

export const saveToPostgres = asset({
  key: "etl/save_to_postgres",
  description: "The clean samples for readers outside: the view samples.etl__save_to_postgres of this team's database.",
  group: "samples",
  kinds: ["postgres"],
  // A table a version. The view shows another one only once that is open, and the same again if it is made again.
  io: published,
  deps: { rows: cleanData },
  automation: when.onMissing(),
  compute: ({ rows }, { metadata }) => {
    metadata({ rows: rows.length });
    return rows;
  },
});
