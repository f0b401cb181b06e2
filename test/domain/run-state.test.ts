import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reason } from "../../control-plane/src/domain/reason.ts";
import {
  type Run,
  type RunStep,
  type StepEdge,
  addStep,
  endStep,
  inheritedFrom,
  newRun,
  outcomeOf,
} from "../../control-plane/src/domain/run-state.ts";
import { type StepPhase, newStep } from "../../control-plane/src/domain/step-state.ts";
import { keyOf } from "../support/graph-definitions.ts";

const place = { team: "a", priority: 0, createdAtMs: 0 };
const about = { tags: {}, config: {}, whenOpen: false, place, holdsSlot: true };

function stepOf(
  index: number,
  after: readonly number[],
  more: Partial<RunStep["spec"]> = {},
  phase: StepPhase = "waiting",
): RunStep {
  const spec = {
    index,
    kind: "materialize" as const,
    asset: keyOf(`a/n${String(index)}`),
    partition: "",
    location: "a",
    after,
    edges: [] as readonly StepEdge[],
    checks: [],
    ...more,
  };
  return { spec, state: { ...newStep, phase }, outstanding: 0 };
}

const edgeTo = (asset: string, more: Partial<StepEdge> = {}): StepEdge => ({
  name: "up",
  asset: keyOf(asset),
  mode: "strict",
  atLeast: 0,
  partitions: [""],
  ...more,
});

const reason: Reason = { kind: "neverMaterialized", asset: keyOf("a/root"), partition: "" };

describe("the end of a run", () => {
  test.each<[readonly StepPhase[], boolean, string]>([
    [["succeeded", "succeeded"], false, "succeeded"],
    [["succeeded", "skipped"], false, "succeeded"],
    [["succeeded"], true, "blocked"],
    [["blocked", "succeeded"], false, "blocked"],
    [["blocked", "canceled"], true, "canceled"],
    [["canceled", "blocked", "failed"], true, "failed"],
    [[], false, "succeeded"],
  ])("%j, a version shut: %j: %s", (phases, closed, outcome) => {
    expect(outcomeOf(phases, closed)).toBe(outcome);
  });
});

describe("steps become ready", () => {
  test("each once, when the last step before it has ended, in any graph and any order", () => {
    const graphs = fc
      .array(fc.array(fc.nat(20), { maxLength: 4 }), { minLength: 1, maxLength: 20 })
      .map((rows) => rows.map((befores, index) => (index === 0 ? [] : befores.map((n) => n % index))));
    fc.assert(
      fc.property(graphs, fc.infiniteStream(fc.nat()), (graph, choices) => {
        const run = newRun(
          "r",
          1,
          about,
          graph.map((after, index) => stepOf(index, after)),
        );
        const ready = run.steps.filter((step) => step.outstanding === 0);
        const seen = new Set(ready);
        while (ready.length > 0) {
          const [step] = ready.splice((choices.next().value as number) % ready.length, 1) as [RunStep];
          for (const index of step.spec.after) expect(run.steps[index]?.state.phase).toBe("succeeded");
          step.state = { ...step.state, phase: "succeeded" };
          for (const next of endStep(run, step)) {
            expect(seen.has(next)).toBe(false);
            seen.add(next);
            ready.push(next);
          }
        }
        expect(seen.size).toBe(graph.length);
        expect(run.open).toBe(0);
      }),
    );
  });

  test("also those that are added while the run goes on", () => {
    const run = newRun("r", 1, about, [stepOf(0, [])]);
    const [first] = run.steps as [RunStep];
    addStep(run, stepOf(1, [0], { kind: "checks" }));
    addStep(run, stepOf(2, []));
    expect(run.open).toBe(3);
    expect(run.steps.map((step) => step.outstanding)).toEqual([0, 1, 0]);
    first.state = { ...first.state, phase: "succeeded" };
    expect(endStep(run, first).map((step) => step.spec.index)).toEqual([1]);
    addStep(run, stepOf(3, [0, 2]));
    expect(run.steps[3]?.outstanding).toBe(1);
  });

  test("of a run taken over, those that have ended keep nobody waiting", () => {
    const run = newRun("r", 2, about, [
      stepOf(0, [], {}, "succeeded"),
      stepOf(1, [0], {}, "leased"),
      stepOf(2, [0, 1]),
    ]);
    expect(run.open).toBe(2);
    expect(run.steps.map((step) => step.outstanding)).toEqual([0, 0, 1]);
  });
});

describe("what a step inherits", () => {
  const ended = (phase: StepPhase, edge: Partial<StepEdge>, kind: "materialize" | "checks" = "materialize") => {
    const before = stepOf(0, [], {}, phase);
    before.reasons = [reason];
    const run = newRun("r", 1, about, [before, stepOf(1, [0], { kind, edges: [edgeTo("a/n0", edge)] })]);
    return inheritedFrom(run, run.steps[1] as RunStep);
  };

  test.each<[StepPhase, Partial<StepEdge>, string]>([
    ["succeeded", {}, "goesOn"],
    ["failed", {}, "skipped"],
    ["canceled", {}, "skipped"],
    ["skipped", { mode: "orderOnly" }, "skipped"],
    ["blocked", {}, "blocked"],
    ["failed", { mode: "lastValidated" }, "goesOn"],
    ["blocked", { mode: "lastValidated" }, "goesOn"],
    ["blocked", { atLeast: 1 }, "goesOn"],
  ])("%s before an edge %j: %s", (phase, edge, kind) => {
    expect(ended(phase, edge).kind).toBe(kind);
  });

  test("the reasons of what blocked it", () => {
    expect(ended("blocked", {})).toEqual({ kind: "blocked", reasons: [reason] });
  });

  test("checks are skipped whatever kept their version from being made", () => {
    expect(ended("blocked", {}, "checks").kind).toBe("skipped");
  });

  test("nothing from checks: the gate sees their results, or that they are missing", () => {
    const run = newRun("r", 1, about, [
      stepOf(0, [], {}, "succeeded"),
      stepOf(1, [0], { kind: "checks", asset: keyOf("a/n0") }, "failed"),
      stepOf(2, [0, 1], { edges: [edgeTo("a/n0")] }),
    ]);
    expect(inheritedFrom(run, run.steps[2] as RunStep).kind).toBe("goesOn");
  });

  test("a failure through the strict one of two edges to the same asset", () => {
    const edges = [edgeTo("a/n0", { name: "old", mode: "lastValidated" }), edgeTo("a/n0", { name: "new" })];
    const run: Run = newRun("r", 1, about, [stepOf(0, [], {}, "failed"), stepOf(1, [0], { edges })]);
    expect(inheritedFrom(run, run.steps[1] as RunStep).kind).toBe("skipped");
  });
});
