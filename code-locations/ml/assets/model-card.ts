import { asset, when } from "@headgate/sdk";
import { z } from "zod";
import { cards } from "../resources.ts";
import { model } from "./model.ts";
import { features } from "./training-data.ts";

export const modelCard = asset({
  key: "ml/model_card",
  description: "What the model is, how well it fits and what it was made from, for people.",
  value: z.string().startsWith("# "),
  group: "model",
  kinds: ["markdown"],
  deps: { model },
  io: cards,
  automation: when.onMissing(),
  compute: ({ model: fitted }, { inputs, metadata }) => {
    const terms = features.map((feature) => `${shown(fitted.coefficients[feature])} · ${feature}`);
    const card = [
      "# A linear model of y",
      `y = ${[...terms, shown(fitted.intercept)].join(" + ")}`,
      `- fitted by least squares to ${fitted.metrics.rows} rows`,
      `- root mean square error ${fitted.metrics.rmse.toExponential(1)}`,
      `- version of the model: ${inputs.model.versions.map(({ versionId }) => versionId).join(", ")}`,
      "",
    ].join("\n\n");
    metadata({ card: { kind: "markdown", value: card }, rmse: fitted.metrics.rmse });
    return card;
  },
});

/** Without the digits that arithmetic leaves behind. */
function shown(coefficient: number): string {
  return String(Number(coefficient.toFixed(6)));
}
