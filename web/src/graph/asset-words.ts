import { inWords } from "../status/status-dictionary.ts";
import type { GraphModel } from "./picture/graph-model.ts";
import { type GraphState, gateStateOf, statusOf } from "./picture/graph-state.ts";

/** What the picture says of an asset, in words: its status, whether it waits, its gate, and where it is not reached. */
export function assetWords(model: GraphModel, state: GraphState, asset: number): string {
  const gate = gateStateOf(state, asset);
  const checks = state.gateAt.get(asset)?.checks.map(({ name }) => name) ?? [];
  if (!state.informed) return "not known yet";
  return [
    state.fogged[asset] === 1
      ? `location not reached, last known: ${inWords(statusOf(state, asset))}`
      : inWords(statusOf(state, asset)),
    state.shaded[asset] === 1 ? "waits for a closed gate" : "",
    gate === "closed" ? `gate closed by ${checks.join(", ")}` : "",
    gate === "evaluating" ? "gate being evaluated" : "",
    gate === "open" ? "gate open" : "",
    `owner ${model.teams[model.team[asset]!]}`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}
