import { asset, when } from "@headgate/sdk";
import { Matrix, solve } from "ml-matrix";
import { z } from "zod";
import { features, trainingData } from "./training-data.ts";

export const model = asset({
  key: "ml/model",
  description: "A linear model of y, by least squares, with the metrics of its fit.",
  value: z.object({
    /** By feature. */
    coefficients: z.record(z.enum(features), z.number()),
    intercept: z.number(),
    metrics: z.object({ rows: z.int(), rmse: z.number().nonnegative() }),
  }),
  group: "model",
  kinds: ["json"],
  deps: { data: trainingData },
  automation: when.onMissing(),
  compute: ({ data }, { metadata }) => {
    const inputs = new Matrix(data.rows.map((row) => [...row.features, 1]));
    const targets = Matrix.columnVector(data.rows.map((row) => row.target));
    // By singular values: it has an answer even where features depend on each other.
    const solution = solve(inputs, targets, true);
    const [intercept = Number.NaN] = solution.to1DArray().slice(-1);
    const residuals = Matrix.sub(inputs.mmul(solution), targets);
    const metrics = { rows: data.rows.length, rmse: residuals.norm("frobenius") / Math.sqrt(data.rows.length) };
    metadata({ ...metrics });
    const weights = features.map((feature, index) => [feature, solution.get(index, 0)] as const);
    return {
      coefficients: Object.fromEntries(weights) as Record<(typeof features)[number], number>,
      intercept,
      metrics,
    };
  },
});
