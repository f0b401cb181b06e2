import { asset, orderOnly, when } from "@headgate/sdk";
import { columns } from "../contract.ts";
import { database } from "../resources.ts";
import type { SourceRow } from "../source.ts";
import { prepareTable } from "./prepare-table.ts";

export const pullData = asset({
  key: "etl/pull_data",
  description: "The rows of the source, as they are.",
  group: "samples",
  kinds: ["postgres", "json"],
  // It reads the database, not a value: after prepare_table is all that it asks.
  deps: { table: orderOnly(prepareTable) },
  resources: { database },
  automation: when.onMissing(),
  compute: async (_inputs, { resources, signal, metadata }) => {
    const query = `select ${columns.join(", ")} from source_samples order by id`;
    const { rows } = await resources.database.query<SourceRow>(query, [], { signal });
    metadata({ rows: rows.length });
    return rows;
  },
});
