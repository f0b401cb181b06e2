import { asset, when } from "@headgate/sdk";
import * as contract from "../contract.ts";
import { columns, type Sample } from "../contract.ts";
import type { SourceRow } from "../source.ts";
import { pullData } from "./pull-data.ts";

export const cleanData = asset({
  ...contract.cleanData,
  deps: { pulled: pullData },
  automation: when.onMissing(),
  compute: ({ pulled }, { metadata }) => {
    const complete = pulled.filter(isComplete);
    const clean = [...new Map(complete.map((row) => [JSON.stringify(row), row])).values()];
    const lineage = Object.fromEntries(columns.map((column) => [column, [{ asset: pullData, column }]]));
    metadata({
      rows: clean.length,
      empty: pulled.length - complete.length,
      repeated: complete.length - clean.length,
      columns: { kind: "columnLineage", columns: lineage },
    });
    return clean;
  },
});

function isComplete(row: SourceRow): row is Sample {
  return columns.every((column) => row[column] !== null);
}
