import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type QueueRules,
  type QueuedRun,
  type TeamInQueue,
  chooseRuns,
  noQueueRules,
  tagBucket,
  teamOfRun,
} from "../../control-plane/src/domain/run-queue.ts";

const runs = (team: string, count: number, tags: QueuedRun["tags"] = {}): QueuedRun[] =>
  Array.from({ length: count }, (_, n) => ({ id: `${team}${n}`, tags }));

const queueOf = (team: string, waiting: readonly QueuedRun[], more: Partial<TeamInQueue> = {}): TeamInQueue => ({
  team,
  held: 0,
  waiting,
  room: 500,
  ...more,
});

const none = new Map<string, number>();

const weighted = (weights: Readonly<Record<string, number>>, maxRuns?: number): QueueRules => ({
  teams: Object.fromEntries(Object.entries(weights).map(([team, weight]) => [team, { weight }])),
  tagLimits: [],
  ...(maxRuns === undefined ? {} : { maxRuns }),
});

describe("the runs that start next", () => {
  test("are of the team that has none, however many another one has queued before", () => {
    const teams = [queueOf("a", runs("a", 10_000), { held: 19, virtualStart: 400 }), queueOf("b", runs("b", 1))];
    expect(chooseRuns(weighted({}, 20), teams, none, 100).runs).toEqual(["b0"]);
  });

  test("go by the order of their team's queue, and take turns between teams", () => {
    const teams = [queueOf("a", runs("a", 3)), queueOf("b", runs("b", 3))];
    expect(chooseRuns(noQueueRules, teams, none, 100).runs).toEqual(["a0", "b0", "a1", "b1", "a2", "b2"]);
  });

  test("are no more than there are slots in all, for a team, and at this daemon", () => {
    const teams = [
      queueOf("a", runs("a", 9), { held: 1 }),
      queueOf("b", runs("b", 9)),
      queueOf("c", runs("c", 9), { room: 1 }),
    ];
    const rules: QueueRules = { teams: { a: { weight: 9, maxRuns: 3 } }, tagLimits: [], maxRuns: 7 };
    const { runs: chosen } = chooseRuns(rules, teams, none, 100);
    expect(chosen).toHaveLength(6);
    expect(chosen.filter((id) => id.startsWith("a"))).toEqual(["a0", "a1"]);
    expect(chosen.filter((id) => id.startsWith("c"))).toEqual(["c0"]);
  });

  test("pass one that a tag limit holds back, which keeps its place", () => {
    const waiting = [...runs("x", 3, { customer: "acme" }), ...runs("y", 1, { customer: "globex" }), ...runs("z", 1)];
    const rules: QueueRules = { teams: {}, tagLimits: [{ key: "customer", perValue: true, limit: 2 }] };
    const held = new Map([["0\nacme", 1]]);
    expect(chooseRuns(rules, [queueOf("a", waiting)], held, 100).runs).toEqual(["x0", "y0", "z0"]);
    const together: QueueRules = { teams: {}, tagLimits: [{ key: "customer", perValue: false, limit: 2 }] };
    expect(chooseRuns(together, [queueOf("a", waiting)], new Map([["0", 1]]), 100).runs).toEqual(["x0", "z0"]);
    const one: QueueRules = { teams: {}, tagLimits: [{ key: "customer", value: "acme", perValue: false, limit: 1 }] };
    expect(chooseRuns(one, [queueOf("a", waiting)], none, 100).runs).toEqual(["x0", "y0", "z0"]);
  });

  test("are not confused by tags and teams with the names of an object's own", () => {
    const limit = { key: "constructor", perValue: true, limit: 1 };
    expect(tagBucket(limit, 0, {})).toBeUndefined();
    expect(chooseRuns(noQueueRules, [queueOf("constructor", runs("a", 1))], none, 1).runs).toEqual(["a0"]);
  });
});

/** A queue in which `maxRuns` slots serve teams that always have more; each run lasts as long as `lastsOf` says. */
function simulate(
  rules: QueueRules,
  teams: readonly string[],
  rounds: number,
  lastsOf: (n: number) => number,
): { readonly starts: string[]; readonly heldTime: Map<string, number> } {
  const virtual = new Map<string, number>();
  const held: { team: string; until: number }[] = [];
  const heldTime = new Map(teams.map((team) => [team, 0]));
  const starts: string[] = [];
  const max = rules.maxRuns ?? 0;
  for (let now = 0; now < rounds; now++) {
    for (let i = held.length - 1; i >= 0; i--) if ((held[i]?.until ?? 0) <= now) held.splice(i, 1);
    const view = teams.map((team) => {
      const virtualStart = virtual.get(team);
      const count = held.filter((run) => run.team === team).length;
      return queueOf(team, runs(`${team} `, max), {
        held: count,
        ...(virtualStart === undefined ? {} : { virtualStart }),
      });
    });
    const choice = chooseRuns(rules, view, none, max);
    for (const [team, start] of Object.entries(choice.virtualStarts)) virtual.set(team, start);
    for (const id of choice.runs) {
      const team = id.split(" ")[0] ?? "";
      held.push({ team, until: now + lastsOf(starts.length) });
      starts.push(team);
    }
    for (const { team } of held) heldTime.set(team, (heldTime.get(team) ?? 0) + 1);
  }
  return { starts, heldTime };
}

const weights = fc.array(fc.constantFrom(0.5, 1, 2, 3, 5), { minLength: 2, maxLength: 5 });
const teamsOf = (given: readonly number[]) => Object.fromEntries(given.map((weight, n) => [`t${n}`, weight]));

describe("shares", () => {
  test("of the slots are as the weights, whatever runs last, for teams that always have more", () => {
    const lasting = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 20, maxLength: 60 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 24 }), lasting, (given, slots, lasts) => {
        const byTeam = teamsOf(given);
        const teams = Object.keys(byTeam);
        const rounds = 200;
        const { heldTime } = simulate(weighted(byTeam, slots), teams, rounds, (n) => lasts[n % lasts.length] ?? 1);
        const total = given.reduce((sum, weight) => sum + weight, 0);
        for (const team of teams) {
          const share = ((byTeam[team] ?? 0) / total) * slots * rounds;
          // Slots are whole: each other team may hold a part of one beyond its share, and hands it back when a run ends.
          expect(Math.abs((heldTime.get(team) ?? 0) - share)).toBeLessThanOrEqual(
            rounds * (given.length - 1) + 9 * slots,
          );
        }
      }),
      { numRuns: 30 },
    );
  });

  test("of the starts are as the weights where one slot serves all", () => {
    fc.assert(
      fc.property(weights, (given) => {
        const byTeam = teamsOf(given);
        const { starts } = simulate(weighted(byTeam, 1), Object.keys(byTeam), 200, () => 1);
        const total = given.reduce((sum, weight) => sum + weight, 0);
        for (const [team, weight] of Object.entries(byTeam)) {
          const share = (weight / total) * starts.length;
          expect(Math.abs(starts.filter((start) => start === team).length - share)).toBeLessThanOrEqual(given.length);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("starve nobody: a team without a slot starts before the others have spent a turn more than its weight costs", () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 8 }), (given, slots) => {
        const byTeam = teamsOf(given);
        const { starts } = simulate(weighted(byTeam, slots), Object.keys(byTeam), 120, (n) => 1 + (n % 3));
        for (const [team, weight] of Object.entries(byTeam)) {
          const others = given.reduce((sum, other) => sum + Math.ceil(other / weight) + 1, 0);
          let waited = 0;
          for (const start of starts) {
            waited = start === team ? 0 : waited + 1;
            expect(waited).toBeLessThanOrEqual(others + slots * given.length);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test("that were not used are not saved up: a team that comes back takes turns from now on", () => {
    const teams = [
      queueOf("a", runs("a", 50), { virtualStart: 1_000 }),
      queueOf("b", runs("b", 50), { virtualStart: 3 }),
    ];
    const chosen = chooseRuns(weighted({}, 10), teams, none, 100).runs;
    expect(chosen.filter((id) => id.startsWith("b"))).toHaveLength(5);
  });
});

describe("a run", () => {
  test("stands in the queue of the team that owns most of its steps, and of several the first", () => {
    const of = (...teams: string[]) => teamOfRun(teams.map((team) => ({ team })));
    expect([of("a", "b", "b"), of("b", "a"), of()]).toEqual(["b", "b", ""]);
  });
});
