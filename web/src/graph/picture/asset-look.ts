import { partitionLooks, type StatusLook } from "../../status/status-dictionary.ts";
import { type GraphState, statusOf } from "./graph-state.ts";

const foggedLook: StatusLook = { tone: "unknown", glyph: "question" };

const notYetKnown: StatusLook = { tone: "unknown", glyph: "dot" };

/**
 * How an asset is drawn and spoken of. What is held back by a closed gate looks blocked unless it has something of its
 * own to say: that it runs, or what is wrong with it.
 */
export function assetLook(state: GraphState, asset: number): StatusLook {
  if (!state.informed) return notYetKnown;
  if (state.fogged[asset] === 1) return foggedLook;
  const status = statusOf(state, asset);
  const own = status === "materializing" || status === "failed" || status === "errored" || status === "computeFailed";
  return state.shaded[asset] === 1 && !own ? partitionLooks.blocked : partitionLooks[status];
}
