import { randomUUID } from "node:crypto";
import { rangeSet } from "@headgate/model";
import type { z } from "zod";
import {
  type AssetGates,
  type Blocked,
  type ClosedGate,
  assetGates,
  blastRadius,
  blockedBehind,
} from "../domain/closed-gates.ts";
import type { AssetNode, Graph } from "../domain/graph.ts";
import { type StatusRange, partitionStatuses } from "../domain/status.ts";
import { eventBounds, readEvents } from "../storage/events-read.ts";
import { readGateState } from "../storage/gate-state.ts";
import { listActivity } from "../storage/steps-read.ts";
import type { ApiContext } from "./api-context.ts";
import { statusesFrom } from "./asset-statuses.ts";
import type { graphGate, graphStatuses } from "./contract/graph.ts";
import { type GraphPicture, graphPicture, runsOf } from "./graph-picture.ts";

/** Waivers end and time windows begin without an event: this often everything is looked at. */
const everythingEveryMs = 60_000;
/** More events than this since the last look: everything is looked at. */
const eventsMax = 5_000;
const gatesMax = 100;

interface KnownAsset {
  readonly ranges: readonly StatusRange[];
  readonly gates: AssetGates;
  /** What is answered of it, to see whether it changed. */
  readonly text: string;
  /** The revision that it is as of. */
  readonly revision: number;
}

/**
 * The statuses of every asset as one process last saw them. Readers share what is read: each look asks the database for
 * those assets alone that the log names since the look before.
 */
export class GraphStatuses {
  readonly #context: ApiContext;
  /** Revisions of another process, or of a graph before this one, mean nothing here. */
  #epoch = "";
  #revision = 0;
  #graph: Graph | undefined;
  #known = new Map<AssetNode, KnownAsset>();
  #gates: Pick<z.input<typeof graphStatuses>, "shaded" | "evaluating" | "gates" | "gateCount"> | undefined;
  #seq = 0;
  #everythingAtMs = 0;
  #looking: Promise<void> | undefined;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async read(after: string | undefined): Promise<z.input<typeof graphStatuses>> {
    // Whoever comes while a look is under way asks for what may be newer than it.
    while (this.#looking !== undefined) await this.#looking;
    this.#looking = this.#look().finally(() => (this.#looking = undefined));
    await this.#looking;
    const picture = graphPicture(this.#graph ?? this.#context.graph());
    const [epoch, number] = (after ?? "").split(".");
    const since = epoch === this.#epoch ? Number(number) : Number.NaN;
    const full = Number.isNaN(since);
    const statuses: number[][] = [];
    for (const [i, node] of picture.nodes.entries()) {
      const known = this.#known.get(node);
      if (known === undefined || (!full && known.revision <= since)) continue;
      statuses.push([
        i,
        ...known.ranges.flatMap(({ status, set }) => [partitionStatuses.indexOf(status), rangeSet.size(set)]),
      ]);
    }
    return {
      hash: picture.hash,
      revision: `${this.#epoch}.${this.#revision}`,
      full,
      words: [...partitionStatuses],
      statuses,
      ...(this.#gates ?? { shaded: [], evaluating: [], gates: [], gateCount: 0 }),
    };
  }

  async #look(): Promise<void> {
    const { db } = this.#context;
    const graph = this.#context.graph();
    const nowMs = this.#context.now();
    const { newest } = await eventBounds(db);
    const events = newest > this.#seq && graph === this.#graph ? await readEvents(db, this.#seq, eventsMax) : [];
    const everything =
      graph !== this.#graph || events.length === eventsMax || nowMs - this.#everythingAtMs > everythingEveryMs;
    if (everything) {
      if (graph !== this.#graph) {
        this.#known = new Map();
        this.#epoch = randomUUID();
      }
      await this.#take(graph, graph.order, nowMs);
      this.#everythingAtMs = nowMs;
      this.#graph = graph;
    } else {
      const named = new Set(events.flatMap(({ asset_key }) => graph.asset(asset_key ?? "") ?? []));
      if (named.size > 0) await this.#take(graph, [...named], nowMs);
    }
    this.#seq = Math.max(newest, events.at(-1)?.seq ?? 0);
  }

  /** Reads these assets again, and judges all gates anew where one of theirs changed. */
  async #take(graph: Graph, nodes: readonly AssetNode[], nowMs: number): Promise<void> {
    const keys = nodes.map((node) => node.key);
    const gateState = await readGateState(this.#context.pool, keys, 1);
    const activities = await listActivity(this.#context.db, keys);
    const statuses = statusesFrom(nodes, gateState, activities, nowMs);
    const revision = this.#revision + 1;
    let gatesChanged = this.#gates === undefined || graph !== this.#graph;
    for (const node of nodes) {
      const versions = gateState.get(node.key)?.partitions ?? new Map<string, never>();
      const newest = [...versions].flatMap(([partition, [version]]) => {
        const ordinal = node.space.ordinalOf(partition);
        return version === undefined || ordinal === undefined ? [] : [[ordinal, version] as const];
      });
      const gates = assetGates(node, newest, nowMs);
      const ranges = statuses.get(node) ?? [];
      const before = this.#known.get(node);
      const text = JSON.stringify([ranges, gatesText(gates)]);
      if (before?.text === text) continue;
      this.#revision = revision;
      gatesChanged ||= before === undefined || gatesText(before.gates) !== gatesText(gates);
      this.#known.set(node, { ranges, gates, text, revision });
    }
    if (gatesChanged) this.#gates = presentGates(graph, this.#known, nowMs);
  }
}

function gatesText({ closed, evaluating }: AssetGates): string {
  return JSON.stringify([evaluating, closed.map(({ check, state, partitions }) => [check.id, state, partitions])]);
}

function presentGates(graph: Graph, known: ReadonlyMap<AssetNode, KnownAsset>, nowMs: number) {
  const picture = graphPicture(graph);
  const all: ClosedGate[] = [];
  const evaluating: number[] = [];
  for (const [node, { gates }] of known) {
    all.push(...gates.closed);
    if (gates.evaluating) evaluating.push(picture.numberOf.get(node) ?? 0);
  }
  const blocked = blockedBehind(graph, all, nowMs);
  const closed = [...new Set(all.map(({ node }) => node))].map((node) => {
    const ofAsset = all.filter((gate) => gate.node === node);
    return presentGate(graph, picture, ofAsset, blocked, nowMs);
  });
  closed.sort((a, b) => b.assets - a.assets || a.asset - b.asset);
  return {
    shaded: runsOf([...blocked.keys()], picture),
    evaluating: evaluating.sort((a, b) => a - b),
    gates: closed.slice(0, gatesMax),
    gateCount: closed.length,
  };
}

function presentGate(
  graph: Graph,
  picture: GraphPicture,
  gates: readonly ClosedGate[],
  all: Blocked,
  nowMs: number,
): z.input<typeof graphGate> {
  const { edges, blocked } = blastRadius(graph, gates, all, nowMs);
  const shut = new Set(edges.flatMap((edge) => picture.edgeOf.get(edge) ?? []));
  return {
    asset: picture.numberOf.get(gates[0]?.node as AssetNode) ?? 0,
    checks: gates.map(({ check: { team, name }, state }) => ({ team, name, state })),
    edges: [...shut].sort((a, b) => a - b),
    blocked: runsOf([...blocked.keys()], picture),
    assets: blocked.size,
    teams: new Set([...blocked.keys()].map((node) => node.team)).size,
  };
}
