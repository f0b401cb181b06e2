import { afterEach, describe, expect, test } from "vitest";
import { Engine, listenerOf } from "../support/engine.ts";
import { checkReport, computed, FakeLocation, Pause, succeeded } from "../support/fake-location.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  expect(violations).toEqual([]);
});

describe("a location that speaks of what it was not asked for", () => {
  test("under another instance's name changes nothing of that instance's attempt", async () => {
    const pause = new Pause();
    engine = await Engine.open([
      locationOf("a", [assetOf("a/one")], [checkOf("a/one", "true_check")]),
      locationOf("evil", [assetOf("evil/x")]),
    ]);
    const honest = new FakeLocation("a", { compute: pause.compute });
    const evil = new FakeLocation("evil");
    evil.instanceId = honest.instanceId;
    const daemon = await engine.startDaemon([honest, evil]);
    const run = await engine.launch("a/one");
    const { command } = await pause.begun;
    const { attemptId } = command;
    const listener = listenerOf(daemon)();
    const finished = succeeded(command);
    listener.reports("evil", evil.instanceId, [{ attemptId, sequence: 1, atMs: 0, kind: "finished", finished }]);
    listener.refused("evil", evil.instanceId, [{ attemptId, reason: "tombstoned" }]);
    listener.refused("evil", evil.instanceId, [{ attemptId, reason: "noCapacity" }]);
    await pause.succeed({ true_check: "failed" });
    expect(await engine.ended(run)).toBe("blocked");
    expect(evil.commanded).toEqual([]);
    expect(await engine.count("from check_results where outcome = 'failed'")).toBe(1);
    expect(await engine.count("from check_results")).toBe(1);
  });

  test("as a check's owner cannot replace the version that it checks", async () => {
    engine = await Engine.open([
      locationOf("a", [assetOf("a/one"), assetOf("a/two", ["a/one"])]),
      locationOf("b", [], [checkOf("a/one", "of_b")]),
    ]);
    const forged = { scheme: "file", place: "/elsewhere", mediaType: "text/plain", digest: "", sizeBytes: 1 };
    const checker = new FakeLocation("b", {
      compute: ({ command }) => ({ ...succeeded(command), computed: computed(command, { value: forged }) }),
    });
    const location = new FakeLocation("a");
    await engine.startDaemon([location, checker]);
    expect(await engine.ended(await engine.launch("a/one"))).toBe("succeeded");
    expect(await engine.ended(await engine.launch("a/two"))).toBe("succeeded");
    const { work } = location.begunFor("a/two")[0] ?? {};
    const places =
      work?.kind === "materialize" ? work.inputs.flatMap((i) => i.versions.map((v) => v.value?.place)) : [];
    expect(places).toHaveLength(1);
    expect(places).not.toContain("/elsewhere");
  });

  test("and says that it materialized without saying what fails its step", async () => {
    engine = await Engine.open([locationOf("a", [assetOf("a/one")])]);
    await engine.startDaemon([
      new FakeLocation("a", { compute: () => ({ outcome: "succeeded", checks: [], permanent: false }) }),
    ]);
    const run = await engine.launch("a/one");
    expect(await engine.ended(run)).toBe("failed");
    expect(await engine.count("from steps where error ->> 'code' = 'report.malformed'")).toBe(1);
  });
});

describe("a check that reaches no verdict and does not block", () => {
  test("fails its own step and leaves what reads the asset to the gate", async () => {
    engine = await Engine.open([
      locationOf("a", [assetOf("a/one"), assetOf("a/two", ["a/one"])], [checkOf("a/one", "soft", { blocking: false })]),
    ]);
    const error = { code: "check.threw", message: "no verdict" };
    const location = new FakeLocation("a", {
      compute: ({ command }) =>
        command.asset === "a/one"
          ? {
              outcome: "failed",
              computed: computed(command),
              checks: [checkReport("soft", "errored", { error })],
              permanent: false,
              error,
            }
          : succeeded(command),
    });
    await engine.startDaemon([location]);
    expect(await engine.ended(await engine.launch("a/one+"))).toBe("failed");
    expect(location.begunFor("a/two")).toHaveLength(1);
  });
});
