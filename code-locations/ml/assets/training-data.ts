import { asset, lastValidated, valueOf, when } from "@headgate/sdk";
import { cleanData } from "../../etl/contract.ts";

export const features = ["x_1", "x_2", "x_3", "x_4"] as const;

export interface TrainingData {
  readonly rows: readonly { readonly features: readonly number[]; readonly target: number }[];
}

export const trainingData = asset({
  key: "ml/training_data",
  description: "What the model learns from: the last validated samples of team etl.",
  value: valueOf<TrainingData>(),
  group: "model",
  kinds: ["json"],
  // A bad version of etl neither reaches this team nor stops it: training goes on with the last good one.
  deps: { samples: lastValidated(cleanData) },
  automation: when.onMissing(),
  compute: ({ samples }, { metadata }) => {
    metadata({ rows: samples.length });
    return {
      rows: samples.map((sample) => ({ features: features.map((feature) => sample[feature]), target: sample.y })),
    };
  },
});
