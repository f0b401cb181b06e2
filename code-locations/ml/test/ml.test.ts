import { testContext } from "@headgate/sdk/testing";
import { describe, expect, it } from "vitest";
import { modelCard } from "../assets/model-card.ts";
import { model } from "../assets/model.ts";
import { trainingData, type TrainingData } from "../assets/training-data.ts";
import { noNulls, rmse, schema } from "../checks.ts";

/** Rows on a plane, each `off` from it by turns. */
function rowsOn(off = 0): TrainingData {
  const rows = Array.from({ length: 50 }, (_, index) => {
    const features = [index % 7, index % 5, index % 3, (index * index) % 11];
    const [a = 0, b = 0, c = 0, d = 0] = features;
    return { features, target: 10 * a + 100 * b + 1000 * c + 0.5 * d + 2.2 + (index % 2 === 0 ? off : -off) };
  });
  return { rows };
}

describe("training_data", () => {
  it("takes features and target from the contract's columns", async () => {
    const samples = [{ x_1: 1, x_2: 2, x_3: 3, x_4: 4, y: 5 }];
    const made = await trainingData.compute({ samples }, testContext(trainingData));
    expect(made).toEqual({ rows: [{ features: [1, 2, 3, 4], target: 5 }] });
  });

  it("is checked for missing and wrong cells by the team itself", async () => {
    const { rows } = rowsOn();
    const context = testContext(schema);
    expect(await schema.run({ rows }, context)).toMatchObject({ passed: true });
    expect(await noNulls.run({ rows }, context)).toMatchObject({ passed: true });
    const short = [...rows, { features: [1, 2, 3], target: 1 }];
    expect(await schema.run({ rows: short }, context)).toMatchObject({ passed: false, metadata: { wrong: 1 } });
    const missing = [...rows, { features: [1, 2, 3, null as unknown as number], target: 1 }];
    expect(await noNulls.run({ rows: missing }, context)).toMatchObject({ passed: false, metadata: { missing: 1 } });
    expect(await schema.run({ rows: rows.slice(0, 5) }, context)).toMatchObject({ passed: false });
  });
});

describe("model", () => {
  it("finds the plane that the rows lie on", async () => {
    const fitted = await model.compute({ data: rowsOn() }, testContext(model));
    expect(fitted.coefficients.x_1).toBeCloseTo(10, 9);
    expect(fitted.coefficients.x_2).toBeCloseTo(100, 9);
    expect(fitted.coefficients.x_3).toBeCloseTo(1000, 9);
    expect(fitted.coefficients.x_4).toBeCloseTo(0.5, 9);
    expect(fitted.intercept).toBeCloseTo(2.2, 9);
    expect(fitted.metrics.rmse).toBeLessThan(1e-9);
    expect(await rmse.run(fitted, testContext(rmse))).toMatchObject({ passed: true });
  });

  it("is warned about, not stopped, where the rows do not lie on one", async () => {
    const fitted = await model.compute({ data: rowsOn(1) }, testContext(model));
    expect(fitted.metrics.rmse).toBeCloseTo(1, 1);
    expect(rmse).toMatchObject({ severity: "WARN" });
    expect(await rmse.run(fitted, testContext(rmse))).toMatchObject({ passed: false });
  });
});

describe("model_card", () => {
  it("shows the formula without the digits that arithmetic leaves", async () => {
    const fitted = await model.compute({ data: rowsOn() }, testContext(model));
    const read = { versionId: "v1", partitionKey: "", dataVersion: "d1", metadata: {} };
    const inputs = { model: { assetKey: "ml/model", versions: [read], leftOut: [] } };
    const context = { ...testContext(modelCard), inputs };
    const card = await modelCard.compute({ model: fitted }, context);
    expect(card).toContain("version of the model: v1");
    expect(card).toContain("y = 10 · x_1 + 100 · x_2 + 1000 · x_3 + 0.5 · x_4 + 2.2");
  });
});
