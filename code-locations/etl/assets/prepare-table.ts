import { asset, when } from "@headgate/sdk";
import { columns } from "../contract.ts";
import { database } from "../resources.ts";
import { sourceRows } from "../source.ts";

const create = `create table if not exists source_samples (
  id integer primary key, ${columns.map((column) => `${column} double precision`).join(", ")})`;
const insert = `insert into source_samples (id, ${columns.join(", ")})
  select * from unnest($1::integer[], ${columns.map((_, index) => `$${index + 2}::double precision[]`).join(", ")})`;

export const prepareTable = asset({
  key: "etl/prepare_table",
  description: "Fills the table that stands for a source system: 108 rows, 5 of them empty, 3 of them repeated.",
  group: "samples",
  kinds: ["postgres"],
  resources: { database },
  automation: when.onMissing(),
  // One table, filled anew: there is no way to read what it held before.
  inPlace: true,
  compute: async (_inputs, { resources, signal, metadata }) => {
    const rows = sourceRows();
    const cells = columns.map((column) => rows.map((row) => row[column]));
    await resources.database.transaction(
      async (transaction) => {
        await transaction.query(create);
        await transaction.query("delete from source_samples");
        await transaction.query(insert, [rows.map((_, index) => index), ...cells]);
      },
      { signal },
    );
    metadata({ rows: rows.length });
    return { table: "source_samples", rows: rows.length };
  },
});
