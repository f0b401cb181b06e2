import { describe, expect, test } from "vitest";
import { GateMemory } from "../../control-plane/src/daemons/gate-memory.ts";
import { actOnCommit } from "../../control-plane/src/daemons/drive/after-commit.ts";
import { Cycle } from "../../control-plane/src/daemons/drive/cycle.ts";
import { DriveState } from "../../control-plane/src/daemons/drive/drive-state.ts";
import { evaluate } from "../../control-plane/src/daemons/drive/evaluate.ts";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { noQueueRules } from "../../control-plane/src/domain/run-queue.ts";
import { type RunStep, newRun } from "../../control-plane/src/domain/run-state.ts";
import { newStep } from "../../control-plane/src/domain/step-state.ts";
import { assetOf, keyOf, locationOf } from "../support/graph-definitions.ts";

const graph = buildGraph([locationOf("a", [assetOf("a/x", [], { pool: "warehouse" })])], new Map());

/** A drive with one location, and a run of one step that has no slot. Nothing is read: its asset depends on none. */
function driveWithRun() {
  let ids = 0;
  const world = {
    graph: () => graph,
    graphEpoch: () => 1,
    queueRules: () => noQueueRules,
    teamOf: (location: string) => location,
    now: () => 0,
    monotonic: () => 0,
    newId: () => `id-${String(ids++)}`,
    random: () => 0,
  };
  const memory = new GateMemory({ query: () => Promise.reject(new Error("nothing is read")) } as never);
  const drive = new DriveState(world, memory);
  const lane = drive.lane("a");
  lane.session = { send: () => {}, pause: () => {}, resume: () => {}, close: () => {} };
  lane.credits = 8;
  const step: RunStep = {
    spec: {
      index: 0,
      kind: "materialize",
      asset: keyOf("a/x"),
      partition: "",
      location: "a",
      after: [],
      edges: [],
      checks: [],
    },
    state: newStep,
    outstanding: 0,
  };
  const place = { team: "a", priority: 0, createdAtMs: 0 };
  const run = newRun("run", 1, { tags: {}, config: {}, whenOpen: false, place, holdsSlot: false }, [step]);
  drive.runs.set(run.id, run);
  return { drive, run, step };
}

describe("a run that came back for a slot of a pool", () => {
  test("keeps its own slot when the pool has none for it, until it has leased", () => {
    const { drive, run, step } = driveWithRun();
    const lease = (granted: boolean): void => {
      const cycle = new Cycle("daemon");
      evaluate(drive, cycle, run, step);
      const ids = cycle.flush.leases.map(({ id }) => id);
      const result = { base: 0, granted: granted ? ids : [], full: granted ? [] : ids, epochs: {}, stale: [] };
      actOnCommit(drive, cycle, result);
    };
    evaluate(drive, new Cycle("daemon"), run, step);
    expect(drive.slots.asking).toEqual([run]);
    drive.slots.granted(run);
    lease(false);
    drive.slots.look(drive.runs, drive.busyRuns());
    drive.slots.look(drive.runs, drive.busyRuns());
    expect([run.holdsSlot, drive.slots.releasing]).toEqual([true, []]);
    drive.callNext("warehouse");
    drive.dirty.clear();
    lease(true);
    expect([step.state.phase, drive.slots.isBack(run)]).toEqual(["leased", false]);
  });
});
