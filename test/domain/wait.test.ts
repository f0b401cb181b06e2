import { describe, expect, test } from "vitest";
import { type QueueRules, noQueueRules } from "../../control-plane/src/domain/run-queue.ts";
import {
  type PlaceInLine,
  type StepFacts,
  queueWaits,
  stepWaits,
  waitCommand,
  waitText,
} from "../../control-plane/src/domain/wait.ts";

const place = (more: Partial<PlaceInLine> = {}): PlaceInLine => ({
  team: "a",
  daemons: 1,
  ahead: 0,
  teams: [],
  limits: [],
  ...more,
});
const said = (rules: QueueRules, more: Partial<PlaceInLine>) => queueWaits(rules, place(more)).map(waitText);

describe("a run without a slot waits", () => {
  test("for a daemon, and then nothing else matters", () => {
    expect(said({ ...noQueueRules, maxRuns: 1 }, { daemons: 0, ahead: 3 })).toEqual([
      "no daemon is running: nothing is started until one is",
    ]);
  });

  test("for every limit that is reached, and for who is before it", () => {
    const rules: QueueRules = { maxRuns: 4, teams: { a: { weight: 1, maxRuns: 3 } }, tagLimits: [] };
    const teams = [
      { team: "a", held: 3, asking: 2 },
      { team: "b", held: 1, asking: 1 },
      { team: "idle", held: 0, asking: 0 },
    ];
    const limits = [
      { tag: "customer=acme", limit: 1, held: 1, runs: ["r1"] },
      { tag: "source", limit: 5, held: 1, runs: ["r1"] },
    ];
    expect(said(rules, { teams, limits, ahead: 1 })).toEqual([
      "4 runs hold a slot, of 4 in all",
      "3 runs hold a slot in team a, of 3",
      "1 run holds a slot with tag customer=acme, of 1",
      "1 run of team a is before it, by priority and age",
      "team a holds 3, and its share is 2",
    ]);
    // The team below its share waits for a slot alone.
    expect(said(rules, { team: "b", teams })).toEqual(["4 runs hold a slot, of 4 in all"]);
  });

  test("for nothing, if nothing keeps it", () => {
    expect(said(noQueueRules, { teams: [{ team: "a", held: 500, asking: 1 }] })).toEqual([
      "nothing keeps it: it is next",
    ]);
  });
});

const facts = (more: Partial<StepFacts> = {}): StepFacts => ({
  retrying: false,
  attempts: 0,
  location: { name: "etl", state: "healthy", inFlight: 0 },
  reasons: [],
  ...more,
});

describe("a step waits", () => {
  test("for what keeps it, each with the command that shows more, and for a slot only if nothing does", () => {
    const holders = [{ run: "r2", about: "a/big 2001-01" }];
    const waits = stepWaits(
      facts({
        retrying: true,
        attempts: 2,
        location: { name: "etl", state: "unreachable", lastSeenMs: 5, inFlight: 3 },
        inTheWay: { run: "r1", about: "a/x" },
        reasons: [{ kind: "neverMaterialized", asset: "a/raw" as never, partition: "2001-01" }],
        pool: { name: "warehouse", slots: 1, held: 1, holders },
        queue: [{ kind: "maxRuns", held: 1, limit: 1 }],
      }),
    );
    expect(waits.map((wait) => [waitText(wait), waitCommand(wait)])).toEqual([
      ["it is tried again after a delay; tried 2 times so far", ""],
      ["a/raw 2001-01 has never been materialized", "npx headgate why a/raw --partition 2001-01"],
      ["run r1 is at a/x", "npx headgate run show r1"],
      ["code location etl is unreachable", "npx headgate location show etl"],
      ["pool warehouse has 1 slot, held by a/big 2001-01 (run r2)", "npx headgate pool show warehouse"],
    ]);
    expect(stepWaits(facts({ queue: [{ kind: "maxRuns", held: 1, limit: 1 }] }))).toEqual([
      { kind: "maxRuns", held: 1, limit: 1 },
    ]);
  });

  test("for a worker where steps are in flight, and else for nothing", () => {
    const busy = facts({ location: { name: "etl", state: "healthy", inFlight: 1 } });
    expect(stepWaits(busy).map(waitText)).toEqual(["it waits for a worker of etl, where 1 step is in flight"]);
    const free = facts({ pool: { name: "warehouse", slots: 2, held: 1, holders: [] } });
    expect(stepWaits(free)).toEqual([{ kind: "next" }]);
  });
});
