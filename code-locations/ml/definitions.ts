// The one file that `headgate serve code-locations/ml` loads.
import { definitions } from "@headgate/sdk";
import { modelCard } from "./assets/model-card.ts";
import { model } from "./assets/model.ts";
import { trainingData } from "./assets/training-data.ts";
import { noNulls, rmse, schema } from "./checks.ts";
import { io } from "./resources.ts";

export default definitions({
  team: "ml",
  io,
  assets: [trainingData, model, modelCard],
  checks: [schema, noNulls, rmse],
});
