import { assetCheck, type AssetSpec } from "@headgate/sdk";
import { cleanData } from "./assets/clean-data.ts";
import { doNotCleanData } from "./assets/do-not-clean-data.ts";
import { columns } from "./contract.ts";
import type { SourceRow } from "./source.ts";

type Rows = readonly SourceRow[];

/** Rows of an offence that are shown; their number is always told. */
const shownMax = 10;

const shown = (rows: Rows) => ({
  kind: "table" as const,
  columns: [...columns],
  rows: rows.slice(0, shownMax).map((row) => columns.map((column) => row[column] ?? null)),
});

/** The same check for every asset of rows. */
const noNullsIn = (asset: AssetSpec<Rows>) =>
  assetCheck({
    asset,
    name: "no_nulls",
    description: "Every cell has a value.",
    blocking: true,
    run: (rows: Rows) => {
      const gaps = rows.filter((row) => columns.some((column) => row[column] === null));
      const nulls = rows.reduce((sum, row) => sum + columns.filter((column) => row[column] === null).length, 0);
      return {
        passed: nulls === 0,
        description: `${nulls} nulls in ${gaps.length} of ${rows.length} rows`,
        metadata: { nulls, rows: shown(gaps) },
      };
    },
  });

export const cleanDataNoNulls = noNullsIn(cleanData);
export const doNotCleanDataNoNulls = noNullsIn(doNotCleanData);

export const noDuplicates = assetCheck({
  asset: cleanData,
  name: "no_duplicates",
  description: "No two samples are the same.",
  blocking: true,
  run: (rows) => {
    const seen = new Set<string>();
    const repeated = rows.filter((row) => {
      const text = JSON.stringify(columns.map((column) => row[column]));
      return seen.has(text) || (seen.add(text), false);
    });
    return {
      passed: repeated.length === 0,
      description: `${repeated.length} of ${rows.length} rows are there twice`,
      metadata: { duplicates: repeated.length, rows: shown(repeated) },
    };
  },
});

export const schema = assetCheck({
  asset: cleanData,
  name: "schema",
  description: "Every row has the columns of the contract and no other, and each is a finite number.",
  blocking: true,
  run: (rows) => {
    const wrong = rows.filter((row) => {
      const isNumeric = columns.every((column) => Number.isFinite(row[column]));
      return !isNumeric || Object.keys(row).length !== columns.length;
    });
    return {
      passed: wrong.length === 0 && rows.length > 0,
      description: `${wrong.length} of ${rows.length} rows are not ${columns.length} finite numbers`,
      metadata: { wrong: wrong.length, rows: shown(wrong) },
    };
  },
});
