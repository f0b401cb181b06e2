import type { AssetKey } from "@headgate/model";
import type { GateView, VersionView } from "../../../control-plane/src/domain/gate.ts";
import { type LocationSegment, buildGraph } from "../../../control-plane/src/domain/graph.ts";
import { plan } from "../../../control-plane/src/domain/plan.ts";
import { assetOf, checkOf, locationOf } from "../../support/graph-definitions.ts";
import { median } from "../quantile.ts";

/** What one process of B3 measures. Times in milliseconds. */
export interface PlanningTimes {
  readonly edges: number;
  readonly locations: number;
  readonly buildMs: number;
  readonly planMs: number;
  readonly planAgainMs: number;
  readonly replanMs: number;
  readonly replannedSteps: number;
  readonly rssBytes: number;
}

const locationCount = 25;
/** Two assets have two upstream ones, the next two three: 2.5 on average. */
const upstreamCounts = [2, 3] as const;

/** A graph like a company's: mostly edges inside a team, some to others; the same one each time. */
function segments(assetCount: number): LocationSegment[] {
  const random = randomFrom(1);
  const keys: string[] = [];
  const byTeam = Array.from({ length: locationCount }, () => ({
    assets: [] as ReturnType<typeof assetOf>[],
    checks: [] as ReturnType<typeof checkOf>[],
  }));
  for (let n = 0; n < assetCount; n++) {
    const team = n % locationCount;
    const key = `team${team}/asset${n}`;
    const upstream = new Set<string>();
    const wanted = Math.min(upstreamCounts[(n >> 1) % 2] ?? 2, Math.floor(n / locationCount));
    while (upstream.size < wanted) {
      // One edge in five leads to another team.
      const back = 1 + Math.floor(random() * Math.min(200, Math.floor(n / locationCount)));
      const place = random() < 0.2 ? Math.floor(random() * n) : n - back * locationCount;
      upstream.add(keys[place] ?? key);
    }
    keys.push(key);
    byTeam[team]?.assets.push(assetOf(key, [...upstream]));
    byTeam[team]?.checks.push(checkOf(key, "passes"));
  }
  return byTeam.map(({ assets, checks }, team) => locationOf(`team${team}`, assets, checks));
}

/** Numbers in [0, 1) that are the same in every process (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function timed<T>(work: () => T): { readonly ms: number; readonly result: T } {
  const from = performance.now();
  const result = work();
  return { ms: performance.now() - from, result };
}

function versionOf(key: AssetKey): VersionView {
  return {
    id: `version of ${key}`,
    seq: 1,
    partition: "",
    runId: "run",
    createdAtMs: 0,
    dataVersion: "1",
    codeVersion: "1",
    value: null,
    metadata: [],
    waivers: [],
    results: [
      {
        id: `result of ${key}`,
        team: key.slice(0, key.indexOf("/")),
        name: "passes",
        checkVersion: 1,
        outcome: "passed",
        runId: "run",
        seq: 1,
        description: "",
        metadata: [],
      },
    ],
    liveWaivers: [],
  };
}

const given = segments(Number(process.argv[2]));
const edges = given
  .flatMap(({ assets }) => assets)
  .reduce((n, { definition }) => n + definition.dependencies.length, 0);
const built = timed(() => buildGraph(given, new Map()));
const graph = built.result;
const nowMs = Date.now();
const versions = new Map<AssetKey, readonly VersionView[]>();
const view: GateView = { versions: (asset) => versions.get(asset) ?? [] };
const planAll = () => {
  const result = plan(graph, { selection: "*" }, view, nowMs);
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.plan.steps.length;
};
const planned = timed(planAll);
if (graph.errors.length > 0 || planned.result !== graph.order.length) {
  throw new Error(`the graph has ${graph.errors.length} errors, the plan ${planned.result} steps`);
}

// An asset in the middle is materialized, and what reads it directly is planned.
for (const node of graph.order) versions.set(node.key, [versionOf(node.key)]);
const replans: number[] = [];
let replannedSteps = 0;
for (let n = 0; n < 20; n++) {
  const node = graph.order[Math.floor((graph.order.length * (n + 1)) / 40)];
  if (node === undefined) throw new Error("the graph is empty");
  versions.set(node.key, [{ ...versionOf(node.key), id: "a new version", seq: 2 }]);
  const replan = timed(() => plan(graph, { selection: `"${node.key}"+1` }, view, nowMs));
  if (!replan.result.ok) throw new Error(replan.result.message);
  replannedSteps += replan.result.plan.steps.length;
  replans.push(replan.ms);
}
const again = timed(planAll);

const times: PlanningTimes = {
  edges,
  locations: locationCount,
  buildMs: built.ms,
  planMs: planned.ms,
  planAgainMs: again.ms,
  replanMs: median(replans),
  replannedSteps: Math.round(replannedSteps / replans.length),
  rssBytes: process.memoryUsage().rss,
};
process.send?.(times);
