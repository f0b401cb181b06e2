import type { PartitionStatus } from "../../status/status-dictionary.ts";
import type { GraphModel, Overview, Statuses } from "./graph-model.ts";

/** What is drawn at an asset's way out: nothing where no check holds a gate. */
export const gateStates = ["none", "open", "evaluating", "closed"] as const;
export type GateState = (typeof gateStates)[number];

export type ClosedGate = Statuses["gates"][number];

/** What is happening in the graph, by the numbers of its model. */
export interface GraphState {
  /** False until statuses came: nothing is said of an asset then. */
  readonly informed: boolean;
  readonly words: readonly PartitionStatus[];
  /** Place of the asset's status in `words`: of the partition that most needs an eye. */
  readonly status: Uint8Array;
  /** Status, partitions, status, partitions, ... of each asset. */
  readonly counts: readonly (readonly number[])[];
  /** 1: a closed gate upstream holds it back. */
  readonly shaded: Uint8Array;
  /** Place in `gateStates`. */
  readonly gate: Uint8Array;
  readonly gates: readonly ClosedGate[];
  readonly gateCount: number;
  readonly gateAt: ReadonlyMap<number, ClosedGate>;
  /** 1: a closed gate shuts this edge. */
  readonly shutEdge: Uint8Array;
  /** 1: its location is not reached, and what is shown of it is what was last known. */
  readonly fogged: Uint8Array;
}

/** States of a graph of which nothing is known yet. */
export function unknownState(model: GraphModel): GraphState {
  const count = model.keys.length;
  return {
    informed: false,
    words: ["neverMaterialized"],
    status: new Uint8Array(count),
    counts: model.keys.map(() => []),
    shaded: new Uint8Array(count),
    gate: Uint8Array.from(model.checks, (checks) => (checks > 0 ? 1 : 0)),
    gates: [],
    gateCount: 0,
    gateAt: new Map(),
    shutEdge: new Uint8Array(model.from.length),
    fogged: new Uint8Array(count),
  };
}

/** The state after an answer; undefined if the answer is about another graph. */
export function nextState(model: GraphModel, before: GraphState, answer: Statuses): GraphState | undefined {
  if (answer.hash !== model.hash) return undefined;
  const status = before.status.slice();
  const counts = [...before.counts];
  for (const [asset = 0, ...ranges] of answer.statuses) {
    status[asset] = ranges[0] ?? answer.words.indexOf("neverMaterialized");
    counts[asset] = ranges;
  }
  const gate = Uint8Array.from(model.checks, (checks) => (checks > 0 ? 1 : 0));
  for (const asset of answer.evaluating) gate[asset] = 2;
  const shutEdge = new Uint8Array(model.from.length);
  for (const { asset, edges } of answer.gates) {
    gate[asset] = 3;
    for (const edge of edges) shutEdge[edge] = 1;
  }
  const shaded = new Uint8Array(model.keys.length);
  for (const asset of assetsOfRuns(answer.shaded)) shaded[asset] = 1;
  return {
    informed: true,
    words: answer.words,
    status,
    counts,
    shaded,
    gate,
    gates: answer.gates,
    gateCount: answer.gateCount,
    gateAt: new Map(answer.gates.map((one) => [one.asset, one])),
    shutEdge,
    fogged: before.fogged,
  };
}

/** The state with fog over the assets of locations that are not reached. */
export function withLocations(model: GraphModel, state: GraphState, locations: Overview["locations"]): GraphState {
  const away = new Set(locations.filter((one) => one.state === "unreachable").map((one) => one.name));
  return {
    ...state,
    fogged: Uint8Array.from(model.location, (location) => (away.has(model.locations[location]!) ? 1 : 0)),
  };
}

/** First, length, first, length, ... written out. */
export function* assetsOfRuns(runs: readonly number[]): Generator<number> {
  for (let i = 0; i + 1 < runs.length; i += 2) {
    for (let n = 0; n < runs[i + 1]!; n++) yield runs[i]! + n;
  }
}

export function gateStateOf(state: GraphState, asset: number): GateState {
  return gateStates[state.gate[asset]!] ?? "none";
}

export function statusOf(state: GraphState, asset: number): PartitionStatus {
  return state.words[state.status[asset]!] ?? "neverMaterialized";
}
