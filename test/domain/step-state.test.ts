import { readFile, writeFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RetryPolicy } from "../../control-plane/src/domain/definitions.ts";
import {
  type StepEvent,
  type StepPhase,
  type StepState,
  hasEnded,
  inFlight,
  newStep,
  retryDelayMs,
  step,
} from "../../control-plane/src/domain/step-state.ts";

const transcripts = new URL("testdata/step-state.txt", import.meta.url);
const policy: RetryPolicy = { maxRetries: 1, delayMs: 100, backoff: "constant", jitter: 0, maxCrashes: 1 };
const phases: Record<StepPhase, null> = {
  waiting: null,
  leased: null,
  started: null,
  unknown: null,
  retrying: null,
  succeeded: null,
  failed: null,
  blocked: null,
  skipped: null,
  canceled: null,
};
const allPhases = Object.keys(phases) as StepPhase[];

/** One of each kind: a new kind does not compile before it is here. */
const events: { readonly [K in StepEvent["kind"]]: Extract<StepEvent, { kind: K }> } = {
  leased: { kind: "leased" },
  leaseRefused: { kind: "leaseRefused" },
  started: { kind: "started" },
  contactLost: { kind: "contactLost" },
  contactRegained: { kind: "contactRegained", started: false },
  succeeded: { kind: "succeeded" },
  threw: { kind: "threw", permanent: false, random: 0 },
  crashed: { kind: "crashed", random: 0 },
  retryDue: { kind: "retryDue" },
  blocked: { kind: "blocked" },
  skipped: { kind: "skipped" },
  canceled: { kind: "canceled" },
};

const running: StepPhase[] = ["leased", "started", "unknown"];
/** What each event moves, from the paragraphs at the head of the state machine; anything else it leaves as it is. */
const moves: Record<StepEvent["kind"], { readonly from: readonly StepPhase[]; readonly to: StepPhase }> = {
  leased: { from: ["waiting"], to: "leased" },
  leaseRefused: { from: ["leased"], to: "waiting" },
  started: { from: running, to: "started" },
  contactLost: { from: running, to: "unknown" },
  contactRegained: { from: ["unknown"], to: "leased" },
  succeeded: { from: running, to: "succeeded" },
  threw: { from: running, to: "retrying" },
  crashed: { from: running, to: "retrying" },
  retryDue: { from: ["retrying"], to: "waiting" },
  blocked: { from: ["waiting"], to: "blocked" },
  skipped: { from: ["waiting"], to: "skipped" },
  canceled: { from: ["waiting", ...running, "retrying"], to: "canceled" },
};

describe("every phase and every event", () => {
  for (const phase of allPhases) {
    for (const event of Object.values(events)) {
      const { from, to } = moves[event.kind];
      const expected = from.includes(phase) ? to : phase;
      test(`${phase}, ${event.kind}: ${expected === phase ? "stays" : expected}`, () => {
        const state: StepState = { phase, attempts: 1, thrown: 0, crashed: 0 };
        const next = step(state, event, policy);
        expect(next.state.phase).toBe(expected);
        if (!from.includes(phase)) expect(next).toEqual({ state, effects: [] });
      });
    }
  }

  test("no event leaves an end", () => {
    for (const phase of allPhases.filter(hasEnded)) {
      const state: StepState = { phase, attempts: 2, thrown: 1, crashed: 1 };
      for (const event of Object.values(events)) expect(step(state, event, policy)).toEqual({ state, effects: [] });
    }
  });

  test("an attempt is in flight in leased, started and unknown alone", () => {
    expect(allPhases.filter(inFlight)).toEqual(["leased", "started", "unknown"]);
  });
});

describe("any sequence of events", () => {
  const eventArbitrary: fc.Arbitrary<StepEvent> = fc.oneof(
    ...(Object.values(events).map((event) => fc.constant(event)) as fc.Arbitrary<StepEvent>[]),
    fc.record({
      kind: fc.constant("threw" as const),
      permanent: fc.boolean(),
      retryAfterMs: fc.integer({ min: 0, max: 9_999_999 }),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
    fc.record({ kind: fc.constant("contactRegained" as const), started: fc.boolean() }),
  );
  const policyArbitrary = fc.record({
    maxRetries: fc.integer({ min: 0, max: 3 }),
    delayMs: fc.integer({ min: 0, max: 10_000_000 }),
    backoff: fc.constantFrom("constant" as const, "linear" as const, "exponential" as const),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    maxCrashes: fc.integer({ min: 0, max: 3 }),
  });

  test("keeps the counters right, ends once, and asks for no more tries than the policy grants", () => {
    fc.assert(
      fc.property(policyArbitrary, fc.array(eventArbitrary, { maxLength: 60 }), (given, sequence) => {
        let state = newStep;
        const counted = { leases: 0, thrown: 0, crashed: 0, retries: 0, ends: 0 };
        for (const event of sequence) {
          const before = state;
          const { state: after, effects } = step(before, event, given);
          if (event.kind === "leased" && before.phase === "waiting") counted.leases++;
          if (event.kind === "leaseRefused" && before.phase === "leased") counted.leases--;
          if (event.kind === "threw" && inFlight(before.phase)) counted.thrown++;
          if (event.kind === "crashed" && inFlight(before.phase)) counted.crashed++;
          for (const effect of effects) {
            counted.retries++;
            expect(after.phase).toBe("retrying");
            expect(effect.delayMs).toBeGreaterThanOrEqual(0);
            expect(effect.delayMs).toBeLessThanOrEqual(3_600_000);
          }
          if (after.phase === "retrying" && before.phase !== "retrying") expect(effects.length).toBe(1);
          if (!hasEnded(before.phase) && hasEnded(after.phase)) counted.ends++;
          state = after;
        }
        expect(state).toMatchObject({ attempts: counted.leases, thrown: counted.thrown, crashed: counted.crashed });
        expect(counted.ends).toBe(hasEnded(state.phase) ? 1 : 0);
        expect(state.thrown).toBeLessThanOrEqual(given.maxRetries + 1);
        expect(state.crashed).toBeLessThanOrEqual(given.maxCrashes + 1);
        expect(counted.retries).toBeLessThanOrEqual(given.maxRetries + given.maxCrashes);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("the delay before another try", () => {
  const delays = (backoff: RetryPolicy["backoff"]) =>
    [1, 2, 3, 4].map((n) => retryDelayMs({ ...policy, delayMs: 1_000, backoff }, n, 0));

  test("is constant, linear or exponential, and an hour at most", () => {
    expect(delays("constant")).toEqual([1_000, 1_000, 1_000, 1_000]);
    expect(delays("linear")).toEqual([1_000, 2_000, 3_000, 4_000]);
    expect(delays("exponential")).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(retryDelayMs({ ...policy, delayMs: 1_000, backoff: "exponential" }, 500, 0)).toBe(3_600_000);
  });

  test("is shortened by up to the jitter's share", () => {
    const jittery = { ...policy, delayMs: 1_000, jitter: 0.4 };
    expect(retryDelayMs(jittery, 1, 0)).toBe(1_000);
    expect(retryDelayMs(jittery, 1, 0.5)).toBe(800);
    expect(retryDelayMs(jittery, 1, 0.999)).toBeGreaterThanOrEqual(600);
  });

  test("of a process that dies at once is never nothing, and grows", () => {
    const quick = { ...policy, delayMs: 0, maxCrashes: 9 };
    let state: StepState = newStep;
    const delayed: number[] = [];
    for (let n = 0; n < 3; n++) {
      state = step(state, events.leased, quick).state;
      const crashed = step(state, events.crashed, quick);
      delayed.push(...crashed.effects.map((effect) => effect.delayMs));
      state = step(crashed.state, events.retryDue, quick).state;
    }
    expect(delayed).toEqual([100, 200, 300]);
  });
});

// Transcripts ---------------------------------------------------------------------------------------------------------

function played(text: string): string {
  let given = policy;
  let state = newStep;
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("policy ")) {
      given = Object.fromEntries(fields(line.slice(7))) as unknown as RetryPolicy;
      state = newStep;
      lines.push(line);
    } else if (line.startsWith("> ")) {
      const { state: next, effects } = step(state, eventOf(line.slice(2)), given);
      const changed = next === state ? "nothing changes" : wordsOf(next);
      lines.push(
        line,
        `  ${[changed, ...effects.map((effect) => `retry after ${String(effect.delayMs)} ms`)].join(", ")}`,
      );
      state = next;
    } else if (!line.startsWith("  ")) {
      lines.push(line);
    }
  }
  return lines.join("\n");
}

const wordsOf = ({ phase, attempts, thrown, crashed }: StepState): string =>
  `${phase}: attempts ${String(attempts)}, thrown ${String(thrown)}, crashed ${String(crashed)}`;

function fields(text: string): [string, unknown][] {
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => {
      const [name = "", value] = word.split("=");
      return [name, value === undefined ? true : Number.isNaN(Number(value)) ? value : Number(value)];
    });
}

function eventOf(text: string): StepEvent {
  const [kind = "", ...rest] = text.split(" ");
  const known = events[kind as StepEvent["kind"]];
  return { ...known, ...Object.fromEntries(fields(rest.join(" "))) };
}

test("the transcripts read as they are written (UPDATE_TRANSCRIPTS=1 writes them anew, for a review of the difference)", async () => {
  const written = await readFile(transcripts, "utf8");
  const now = played(written);
  if (process.env["UPDATE_TRANSCRIPTS"] === "1") await writeFile(transcripts, now);
  else expect(now).toBe(written);
});
