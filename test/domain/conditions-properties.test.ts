import { rangeSet } from "@headgate/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Condition } from "../../control-plane/src/domain/conditions/condition.ts";
import type { AssetEvaluation } from "../../control-plane/src/domain/conditions/evaluate-conditions.ts";
import type { Truth } from "../../control-plane/src/domain/conditions/evaluate-condition.ts";
import { expanded } from "../../control-plane/src/domain/conditions/expand-condition.ts";
import { type AssetNode, type Edge, type Graph, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { judge, judgeGate } from "../../control-plane/src/domain/gate.ts";
import { requiredChecks } from "../../control-plane/src/domain/required-checks.ts";
import { mappedPartitions } from "../../control-plane/src/domain/root-reasons.ts";
import { ConditionWorld, placeOf } from "../support/condition-world.ts";
import { type DependencyText, assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01" } as const;
const startMs = Date.UTC(2001, 2, 15);
const dayMs = 86_400_000;
const keys = ["a/k0", "a/k1", "a/k2", "b/k3", "b/k4"];
const daily = { cron: "0 6 * * *", timezone: "Europe/Berlin" } as const;

const ofDependency: fc.Arbitrary<Condition> = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 1, depthSize: "small" },
    fc.constantFrom<Condition>(
      { kind: "missing" },
      { kind: "inProgress" },
      { kind: "failed" },
      { kind: "checkFailed" },
      { kind: "checkPending" },
      { kind: "onItsWay" },
      { kind: "updatedSinceTick", ...daily },
      { kind: "inLatestTimeWindow", count: 1 },
    ),
    fc.record({ kind: fc.constant("not" as const), of: tie("tree") }),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      of: fc.array(tie("tree"), { minLength: 1, maxLength: 2 }),
    }),
  ),
})).tree;

const conditions: fc.Arbitrary<Condition> = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.constantFrom<Condition>(
      { kind: "onMissing" },
      { kind: "eager" },
      { kind: "onCron", ...daily },
      { kind: "missing" },
      { kind: "failed" },
      { kind: "checkFailed" },
      { kind: "inLatestTimeWindow", count: 2 },
      { kind: "gateOpen" },
      { kind: "cronTickPassed", ...daily },
      { kind: "newlyRequested" },
      { kind: "newlyMaterialized" },
      { kind: "requestedBefore" },
      { kind: "initialEvaluation" },
    ),
    fc.record({
      kind: fc.constantFrom("anyDeps" as const, "allDeps" as const),
      of: fc.oneof(fc.constant<Condition>({ kind: "updated" }), ofDependency),
    }),
    fc.record({ kind: fc.constantFrom("not" as const, "newlyTrue" as const), of: tie("tree") }),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      of: fc.array(tie("tree"), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant("since" as const), of: tie("tree"), reset: tie("tree") }),
    fc.record({
      kind: fc.constant("filtered" as const),
      of: tie("tree"),
      ignore: fc.constantFrom("a/k0", "team:a", "a/k1 or b/k3"),
    }),
  ),
})).tree;

const mappings = fc.constantFrom<Pick<Exclude<DependencyText, string>, "mapping" | "atLeast" | "mode">>(
  { mapping: { kind: "identity" }, mode: "strict" },
  { mapping: { kind: "identity" }, mode: "lastValidated" },
  { mapping: { kind: "window", startOffset: -1, endOffset: 0 }, mode: "strict" },
  { mapping: { kind: "all" }, mode: "lastValidated", atLeast: 2 },
  { mapping: { kind: "all" }, mode: "strict", atLeast: 0 },
  { mapping: { kind: "last" }, mode: "orderOnly" },
);

const graphs: fc.Arbitrary<Graph> = fc
  .array(
    fc.record({
      upstream: fc.array(fc.record({ to: fc.nat(4), edge: mappings }), { maxLength: 2 }),
      itself: fc.boolean(),
      automation: fc.option(conditions, { nil: undefined, freq: 3 }),
      check: fc.boolean(),
    }),
    { minLength: 5, maxLength: 5 },
  )
  .map((assets) => {
    const definitions = assets.map(({ upstream, itself, automation }, n) => {
      const key = keys[n] ?? "";
      const edges: DependencyText[] = (n === 0 ? [] : upstream).map(({ to, edge }) => ({
        ...edge,
        asset: keys[to % n] ?? "",
      }));
      if (itself) edges.push({ asset: key, mapping: { kind: "window", startOffset: -1, endOffset: -1 } });
      return assetOf(key, edges, { partitions: months, ...(automation === undefined ? {} : { automation }) });
    });
    const checks = assets.flatMap(({ check }, n) => (check ? [checkOf(keys[n] ?? "", "ok")] : []));
    const ofTeam = (team: string) =>
      locationOf(
        team,
        definitions.filter(({ key }) => key.startsWith(team)),
        checks.filter(({ asset }) => asset.startsWith(team)),
      );
    return buildGraph([ofTeam("a"), ofTeam("b")], new Map());
  });

const happenings = fc.array(
  fc.array(
    fc.record({
      what: fc.constantFrom(
        "make",
        "makeFailed",
        "makePending",
        "begin",
        "fail",
        "block",
        "judge",
        "waive",
        "discard",
        "sleep",
      ),
      key: fc.constantFrom(...keys),
      month: fc.nat(5),
      days: fc.integer({ min: 1, max: 20 }),
    }),
    { minLength: 0, maxLength: 3 },
  ),
  { minLength: 1, maxLength: 12 },
);

function happen(
  world: ConditionWorld,
  { what, key, month, days }: { what: string; key: string; month: number; days: number },
) {
  const node = world.node(key);
  const count = node.space.count(world.nowMs);
  const place = placeOf(node, month % count);
  const check = `${node.team}:ok`;
  const { inProgress, versions } = world.state(place);
  switch (what) {
    case "make":
      return world.make(place, { [check]: "passed" });
    case "makeFailed":
      return world.make(place, { [check]: "failed" });
    case "makePending":
      return world.make(place);
    case "begin":
      return world.begin(place);
    case "fail":
      return inProgress ? world.end(place, "failed") : undefined;
    case "block":
      return inProgress ? world.end(place, "blocked") : undefined;
    case "judge":
      return versions.length > 0 ? world.judge(place, check, month % 2 === 0 ? "passed" : "failed") : undefined;
    case "waive":
      return versions.length > 0 ? world.waive(place, check) : undefined;
    case "discard":
      return versions.length > 0 ? world.discard(place) : undefined;
    case "sleep":
      return world.sleepUntil(world.nowMs + days * dayMs);
  }
}

const shown = ({ truth, requests, held, coming }: AssetEvaluation) => ({
  sets: setsOf(truth),
  requests,
  held,
  coming,
});
function setsOf({ set, of }: Truth): unknown {
  return [set, of.map(setsOf)];
}

test("an evaluation of what could see a difference finds what an evaluation from scratch finds", () => {
  fc.assert(
    fc.property(graphs, happenings, (graph, rounds) => {
      expect(graph.errors).toEqual([]);
      const world = new ConditionWorld(graph, startMs);
      for (const round of rounds) {
        for (const one of round) happen(world, one);
        const fresh = new Map(world.fromScratch().map((evaluation) => [evaluation.node, shown(evaluation)]));
        world.step();
        for (const [node, expected] of fresh) {
          const found = world.evaluation(node.key);
          // As text first: comparing values is slow, and tells more.
          const seen = found === undefined ? undefined : shown(found);
          if (JSON.stringify(seen) !== JSON.stringify(expected)) expect(seen).toEqual(expected);
        }
      }
    }),
    { numRuns: 80 },
  );
});

test("the gate as range sets is the gate partition by partition", () => {
  fc.assert(
    fc.property(graphs, happenings, (graph, rounds) => {
      const world = new ConditionWorld(graph, startMs);
      for (const round of rounds) {
        for (const one of round) happen(world, one);
        for (const { node, truth } of world.fromScratch()) {
          const open = [...rangeSet.ordinals(rangeSet.range(0, node.space.count(world.nowMs)))].filter((ordinal) => {
            const partitionsOf = (edge: Edge) => mappedPartitions(edge, ordinal, world.nowMs);
            return judgeGate(node.upstream, partitionsOf, world.facts, new Map(), world.nowMs).kind === "open";
          });
          expect(truth.of[1]?.set).toEqual(rangeSet.from(open));
        }
        world.step();
      }
    }),
    { numRuns: 40 },
  );
});

test("every part of a condition is true for the partitions for which its words are", () => {
  fc.assert(
    fc.property(graphs, happenings, (graph, rounds) => {
      const world = new ConditionWorld(graph, startMs);
      for (const round of rounds) {
        for (const one of round) happen(world, one);
        // Before what it remembers is replaced.
        const naive = world.facts.automated.map((node) => ({ node, sets: new Naive(world, node) }));
        const evaluations = world.fromScratch();
        for (const { node, sets } of naive) {
          const found = evaluations.find((evaluation) => evaluation.node === node);
          if (found === undefined) throw new Error(`${node.key} was not evaluated`);
          const coming = new Map(evaluations.map((evaluation) => [evaluation.node, evaluation.coming]));
          sets.compare(found.truth.of[0], "" + ".0", coming);
        }
        world.step();
      }
    }),
    { numRuns: 60 },
  );
});

/** Conditions partition by partition, as their words say. */
class Naive {
  readonly #world: ConditionWorld;
  readonly #node: AssetNode;
  #coming: ReadonlyMap<AssetNode, unknown> = new Map();

  constructor(world: ConditionWorld, node: AssetNode) {
    this.#world = world;
    this.#node = node;
  }

  compare(
    truth: Truth | undefined,
    path: string,
    coming: ReadonlyMap<AssetNode, readonly (readonly [number, number])[]>,
  ) {
    this.#coming = coming;
    if (truth === undefined) throw new Error("nothing was evaluated");
    const count = this.#node.space.count(this.#world.nowMs);
    for (let ordinal = 0; ordinal < count; ordinal++) {
      const expected = this.#holds(truth.condition, path, ordinal, this.#node.upstream);
      const { condition } = truth;
      const is = rangeSet.has(truth.set, ordinal);
      if (is !== expected) expect({ ordinal, condition, is }).toEqual({ ordinal, condition, is: expected });
    }
  }

  #state(node: AssetNode, ordinal: number) {
    return this.#world.state(placeOf(node, ordinal));
  }

  #before(path: string, ordinal: number): boolean {
    return rangeSet.has(this.#world.stateOf(this.#node).held.get(path) ?? rangeSet.empty, ordinal);
  }

  #holds(condition: Condition, path: string, ordinal: number, edges: readonly Edge[]): boolean {
    const world = this.#world;
    const node = this.#node;
    const state = this.#state(node, ordinal);
    const part = (of: Condition, n: number): boolean => this.#holds(of, `${path}.${n}`, ordinal, edges);
    switch (condition.kind) {
      case "onMissing":
      case "eager":
      case "onCron":
        return this.#holds(expanded(condition), path, ordinal, edges);
      case "and":
        return condition.of.every(part);
      case "or":
        return condition.of.some(part);
      case "not":
        return !part(condition.of, 0);
      case "since":
        return (this.#before(path, ordinal) || part(condition.of, 0)) && !part(condition.reset, 1);
      case "newlyTrue":
        return part(condition.of, 0) && !this.#before(path, ordinal);
      case "filtered": {
        const ignored = new Set(condition.ignore === "team:a" ? keys.slice(0, 3) : condition.ignore?.split(" or "));
        const left = edges.filter(({ upstream }) => !ignored.has(upstream.key));
        return this.#holds(condition.of, `${path}.0`, ordinal, left);
      }
      case "anyDeps":
        return edges.some((edge) =>
          this.#read(edge, ordinal).some((n) => this.#ofDependency(condition.of, edge, n, ordinal)),
        );
      case "allDeps":
        return edges.every((edge) =>
          this.#read(edge, ordinal).some((n) => this.#ofDependency(condition.of, edge, n, ordinal)),
        );
      case "gateOpen": {
        const partitionsOf = (edge: Edge) => mappedPartitions(edge, ordinal, world.nowMs);
        return judgeGate(node.upstream, partitionsOf, world.facts, new Map(), world.nowMs).kind === "open";
      }
      case "cronTickPassed": {
        const tickMs = lastSixInBerlin(world.nowMs);
        const handledMs = Math.max(state.request?.atMs ?? -Infinity, state.versions[0]?.createdAtMs ?? -Infinity);
        return tickMs > world.stateOf(node).sinceMs && ordinal < node.space.count(tickMs) && handledMs < tickMs;
      }
      case "newlyRequested":
        return rangeSet.has(world.stateOf(node).requested, ordinal);
      case "newlyMaterialized":
        return (state.versions[0]?.seq ?? 0) > (world.stateOf(node).seq ?? Infinity);
      case "requestedBefore":
        return state.request !== undefined;
      case "initialEvaluation":
        return world.stateOf(node).seq === undefined;
      case "missing":
      case "inProgress":
      case "failed":
      case "checkPending":
      case "checkFailed":
      case "codeVersionChanged":
      case "inLatestTimeWindow":
      case "notRequestedYet":
      case "updated":
      case "updatedSinceTick":
      case "onItsWay":
        return this.#ofAsset(condition, node, ordinal);
    }
  }

  /** Partitions that exist and are read; `updated` and the gate look at others, too, which have no version. */
  #read({ mapping, upstream }: Edge, ordinal: number): number[] {
    const count = upstream.space.count(this.#world.nowMs);
    const all = Array.from({ length: count }, (_, n) => n);
    switch (mapping.kind) {
      case "identity":
        return all.filter((n) => n === ordinal);
      case "window":
        return all.filter((n) => n >= ordinal + mapping.startOffset && n <= ordinal + mapping.endOffset);
      case "last":
        return all.slice(-1);
      case "all":
      case "static":
      case "dimensions":
        return all;
    }
  }

  #ofAsset(condition: Condition, node: AssetNode, ordinal: number): boolean {
    const { versions, inProgress, failedAtMs } = this.#state(node, ordinal);
    const newest = versions[0];
    const verdict =
      newest === undefined
        ? undefined
        : judge(node.key, newest, requiredChecks(node, node.team), this.#world.nowMs).state;
    switch (condition.kind) {
      case "missing":
        return newest === undefined;
      case "inProgress":
        return inProgress;
      case "failed":
        return failedAtMs !== undefined && failedAtMs > (newest?.createdAtMs ?? -Infinity);
      case "checkFailed":
        return verdict === "failed";
      case "checkPending":
        return verdict === "pending";
      case "inLatestTimeWindow":
        return ordinal >= node.space.count(this.#world.nowMs) - condition.count;
      case "onMissing":
      case "eager":
      case "onCron":
      case "codeVersionChanged":
      case "gateOpen":
      case "cronTickPassed":
      case "newlyRequested":
      case "newlyMaterialized":
      case "requestedBefore":
      case "initialEvaluation":
      case "notRequestedYet":
      case "updated":
      case "updatedSinceTick":
      case "onItsWay":
      case "and":
      case "or":
      case "not":
      case "since":
      case "newlyTrue":
      case "anyDeps":
      case "allDeps":
      case "filtered":
        throw new Error(condition.kind);
    }
  }

  #ofDependency(condition: Condition, edge: Edge, ordinal: number, reader: number): boolean {
    const { upstream, downstream, dependency } = edge;
    const { versions } = this.#state(upstream, ordinal);
    const required = requiredChecks(upstream, downstream.team);
    const readable = (dependency.mode === "lastValidated" ? versions : versions.slice(0, 1)).find(
      (version) => judge(upstream.key, version, required, this.#world.nowMs).open,
    );
    switch (condition.kind) {
      case "and":
        return condition.of.every((part) => this.#ofDependency(part, edge, ordinal, reader));
      case "or":
        return condition.of.some((part) => this.#ofDependency(part, edge, ordinal, reader));
      case "not":
        return !this.#ofDependency(condition.of, edge, ordinal, reader);
      case "onItsWay": {
        // Of itself it sees what is under way, and not what it asks for itself.
        const self = upstream === downstream || !this.#coming.has(upstream);
        if (self) return this.#state(upstream, ordinal).inProgress;
        return rangeSet.has(this.#coming.get(upstream) as readonly (readonly [number, number])[], ordinal);
      }
      case "updatedSinceTick":
        return readable !== undefined && readable.judgedAtMs >= lastSixInBerlin(this.#world.nowMs);
      case "updated": {
        const partition = upstream.space.keyAt(ordinal);
        const handled = this.#state(downstream, reader).handled.filter(
          (one) => one.asset === upstream.key && one.partition === partition,
        );
        return readable !== undefined && handled.every(({ seq }) => seq < readable.seq);
      }
      case "onMissing":
      case "eager":
      case "onCron":
      case "missing":
      case "inProgress":
      case "failed":
      case "checkPending":
      case "checkFailed":
      case "codeVersionChanged":
      case "inLatestTimeWindow":
      case "gateOpen":
      case "cronTickPassed":
      case "newlyRequested":
      case "newlyMaterialized":
      case "requestedBefore":
      case "initialEvaluation":
      case "notRequestedYet":
      case "since":
      case "newlyTrue":
      case "anyDeps":
      case "allDeps":
      case "filtered":
        return this.#ofAsset(condition, upstream, ordinal);
    }
  }
}

/** The last time that it was six in the morning in Berlin; found by looking at a clock there, minute by minute. */
function lastSixInBerlin(nowMs: number): number {
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit" });
  let atMs = Math.floor(nowMs / 3_600_000) * 3_600_000;
  while (clock.format(atMs) !== "06:00") atMs -= 3_600_000;
  return atMs;
}
