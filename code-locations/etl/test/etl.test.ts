import { materialize, testContext } from "@headgate/sdk/testing";
import { describe, expect, it } from "vitest";
import { cleanData } from "../assets/clean-data.ts";
import { doNotCleanData } from "../assets/do-not-clean-data.ts";
import { doOtherOperation } from "../assets/do-other-operation.ts";
import { pullOtherData } from "../assets/pull-other-data.ts";
import { returnsWrongType } from "../assets/returns-wrong-type.ts";
import { cleanDataNoNulls, doNotCleanDataNoNulls, noDuplicates, schema } from "../checks.ts";
import { otherSourceRows, sourceRows } from "../source.ts";

const sample = { x_1: 0.1, x_2: 0.2, x_3: 0.3, x_4: 0.4, y: 323.4 };

describe("The source", () => {
  it("has 100 samples, 5 empty rows and 3 repeated ones, the same every time", () => {
    const rows = sourceRows();
    expect(rows).toHaveLength(108);
    expect(rows.filter((row) => Object.values(row).every((cell) => cell === null))).toHaveLength(5);
    expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(101);
    expect(sourceRows()).toEqual(rows);
  });

  it("has features that are spread evenly between 0 and 1, and a target that follows from them", () => {
    const rows = sourceRows().slice(0, 100);
    for (const column of ["x_1", "x_2", "x_3", "x_4"] as const) {
      const cells = rows.map((row) => row[column] ?? Number.NaN);
      expect(cells.every((cell) => cell >= 0 && cell < 1)).toBe(true);
      expect(cells.reduce((sum, cell) => sum + cell, 0) / cells.length).toBeCloseTo(0.5, 0);
    }
    for (const { x_1, x_2, x_3, x_4, y } of rows) {
      expect(y).toBeCloseTo(10 * x_1! + 100 * x_2! + 1000 * x_3! + 0.5 * x_4! + 2.2, 9);
    }
  });
});

describe("clean_data", () => {
  it("keeps each complete row once and says what it left out", async () => {
    const reporting = testContext(cleanData);
    const clean = await cleanData.compute({ pulled: sourceRows() }, reporting);
    expect(clean).toHaveLength(100);
    expect(reporting.reported.metadata).toMatchObject({ rows: 100, empty: 5, repeated: 3 });
    for (const check of [cleanDataNoNulls, noDuplicates, schema]) {
      expect(await check.run(clean, testContext(check)), check.name).toMatchObject({ passed: true });
    }
  });
});

describe("The checks of clean_data", () => {
  it("no_nulls counts the gaps and shows their rows", async () => {
    const rows = [sample, { ...sample, x_1: null, y: null }];
    expect(await doNotCleanDataNoNulls.run(rows, testContext(doNotCleanDataNoNulls))).toMatchObject({
      passed: false,
      description: "2 nulls in 1 of 2 rows",
      metadata: { nulls: 2, rows: { rows: [[null, 0.2, 0.3, 0.4, null]] } },
    });
  });

  it("no_duplicates counts what is there a second time, in whatever order its columns come", async () => {
    const { y, ...features } = sample;
    expect(await noDuplicates.run([sample, { y, ...features }], testContext(noDuplicates))).toMatchObject({
      passed: false,
      metadata: { duplicates: 1 },
    });
  });

  it.each([
    ["a column that is no number", { ...sample, y: "323.4" }],
    ["a column too many", { ...sample, z: 1 }],
    ["a column too few", { x_1: 1, x_2: 1, x_3: 1, x_4: 1 }],
  ])("schema finds %s", async (_what, row) => {
    expect(await schema.run([row as typeof sample], testContext(schema))).toMatchObject({
      passed: false,
      metadata: { wrong: 1 },
    });
  });

  it("schema wants at least one row", async () => {
    expect(await schema.run([], testContext(schema))).toMatchObject({ passed: false });
  });
});

describe("What is not cleaned", () => {
  it("has 25 to 40 nulls", () => {
    const nulls = otherSourceRows().flatMap((row) => Object.values(row).filter((cell) => cell === null)).length;
    expect(nulls).toBeGreaterThanOrEqual(25);
    expect(nulls).toBeLessThanOrEqual(40);
  });

  it("is made, shut by its check, and read by nobody", async () => {
    const checks = [doNotCleanDataNoNulls];
    const made = await materialize([pullOtherData, doNotCleanData, doOtherOperation], { checks });
    expect(made.partition(doNotCleanData)).toMatchObject({ status: "succeeded", isOpen: false });
    expect(made.partition(doOtherOperation)).toMatchObject({ status: "blocked" });
  });

  it("of returns_wrong_type nothing is stored", async () => {
    const made = await materialize([returnsWrongType]);
    expect(made.partition(returnsWrongType)).toMatchObject({ status: "failed" });
  });
});
