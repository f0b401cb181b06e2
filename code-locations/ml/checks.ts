import { assetCheck } from "@headgate/sdk";
import { model } from "./assets/model.ts";
import { features, trainingData } from "./assets/training-data.ts";

/** A model that is further off than this is worth a look. */
const rmseMax = 0.01;

// What team etl proves of its data, this team does not take on trust: these are its own promises to its own model.

export const schema = assetCheck({
  asset: trainingData,
  name: "schema",
  description: "Every row has a number for each feature and for the target, and there are more rows than unknowns.",
  blocking: true,
  run: ({ rows }) => {
    const wrong = rows.filter((row) => row.features.length !== features.length || typeof row.target !== "number");
    return {
      passed: wrong.length === 0 && rows.length > features.length + 1,
      description: `${wrong.length} of ${rows.length} rows are not ${features.length} features and a target`,
      metadata: { wrong: wrong.length, rows: rows.length },
    };
  },
});

export const noNulls = assetCheck({
  asset: trainingData,
  name: "no_nulls",
  description: "No feature and no target is missing.",
  blocking: true,
  run: ({ rows }) => {
    const missing = rows.filter((row) => ![...row.features, row.target].every(Number.isFinite)).length;
    return {
      passed: missing === 0,
      description: `${missing} of ${rows.length} rows lack a number`,
      metadata: { missing },
    };
  },
});

export const rmse = assetCheck({
  asset: model,
  name: "rmse",
  description: `The root mean square error is at most ${rmseMax}. A warning: whoever uses the model decides.`,
  severity: "WARN",
  run: ({ metrics }) => ({
    passed: metrics.rmse <= rmseMax,
    description: `root mean square error ${metrics.rmse.toExponential(1)}`,
    metadata: { rmse: metrics.rmse, at_most: rmseMax },
  }),
});
