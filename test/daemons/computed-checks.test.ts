import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { planChecks } from "../../control-plane/src/domain/plan-checks.ts";
import { loadGateView } from "../../control-plane/src/storage/gate-state.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation, checkReport, computed, succeeded } from "../support/fake-location.ts";
import { assetOf, checkOf, keyOf, locationOf } from "../support/graph-definitions.ts";

/* Checks whose verdict compute reports with the version that it makes. */

const assets = [assetOf("a/made"), assetOf("a/reader", ["a/made"])];
const told = checkOf("a/made", "told", { reportedBy: "compute" });
const run = checkOf("a/made", "run");

let engine: Engine;
let location: FakeLocation;

beforeAll(async () => {
  engine = await Engine.open([locationOf("a", assets, [told, run])]);
  location = new FakeLocation("a");
  await engine.startDaemon([location]);
});
beforeEach(() => {
  location.begun.length = 0;
  location.compute = ({ command }) => succeeded(command);
});
afterEach(async () => {
  expect(await engine.violations()).toEqual([]);
  expect(engine.complaints).toEqual([]);
});
afterAll(() => engine.close());

/** Results of the newest version of the asset, "name outcome". */
async function results(): Promise<string[]> {
  const { rows } = await engine.pool.query<{ line: string }>(
    `select name || ' ' || outcome as line from check_results where version_id =
       (select id from versions where asset_key = 'a/made' order by seq desc limit 1) order by name, seq`,
  );
  return rows.map(({ line }) => line);
}

/** Compute ends with these outcomes of `told`; what runs with it passes. */
function says(outcome: "passed" | "failed"): void {
  location.compute = ({ command }) => {
    const finished = succeeded(command);
    const isMade = command.asset === "a/made" && command.work.kind === "materialize";
    return isMade ? { ...finished, checks: [checkReport("told", outcome), ...finished.checks] } : finished;
  };
}

describe("a verdict that compute reports", () => {
  test("is recorded with the version, is never asked for as a step, and opens the gate", async () => {
    says("passed");
    expect(await engine.run("a/made or a/reader")).toBe("succeeded");
    expect(await results()).toEqual(["run passed", "told passed"]);
    // The command names what the location is to run; compute knows what it has to report.
    expect(location.begunFor("a/made").map(({ work }) => work.checks)).toEqual([["run"]]);
  });

  test("shuts the gate where it failed; what opens it is another materialization", async () => {
    says("failed");
    const failing = await engine.launch("a/made or a/reader");
    expect(await engine.ended(failing)).toBe("blocked");
    expect(await engine.steps(failing)).toEqual(["a/made succeeded", "a/reader blocked"]);
    expect(await engine.events(failing)).toContain("gate_closed a/made");
    says("passed");
    expect(await engine.run("a/made")).toBe("succeeded");
    expect(await engine.run("a/reader")).toBe("succeeded");
  });

  test("that did not come has errored: nobody waits for what nothing will bring", async () => {
    const forgetful = await engine.launch("a/made or a/reader");
    expect(await engine.ended(forgetful)).toBe("blocked");
    expect(await results()).toEqual(["run passed", "told errored"]);
    const { rows } = await engine.pool.query("select reasons from steps where run_id = $1 and asset_key = 'a/reader'", [
      forgetful,
    ]);
    expect(rows[0].reasons).toMatchObject([{ kind: "checkErrored", check: "told", reportedBy: "compute" }]);
  });

  test("stands when the worker dies over a check that follows: that one alone runs again", async () => {
    let died = false;
    location.compute = ({ command, say }) => {
      if (command.work.kind !== "materialize" || command.asset !== "a/made" || died) return succeeded(command);
      died = true;
      say({ kind: "computed", computed: computed(command) });
      say({ kind: "check", check: checkReport("told") });
      return { outcome: "crashed", checks: [], permanent: false, error: { code: "worker.died", message: "gone" } };
    };
    const crashed = await engine.launch("a/made or a/reader");
    expect(await engine.ended(crashed)).toBe("succeeded");
    expect(await results()).toEqual(["run passed", "told passed"]);
    expect(await engine.steps(crashed)).toEqual(["a/made succeeded", "a/reader succeeded", "a/made checks succeeded"]);
  });

  test("that was lost with its worker has errored; the value is not computed again by itself", async () => {
    location.compute = ({ command, say }) => {
      if (command.work.kind !== "materialize" || command.asset !== "a/made") return succeeded(command);
      say({ kind: "computed", computed: computed(command) });
      return { outcome: "crashed", checks: [], permanent: false, error: { code: "worker.died", message: "gone" } };
    };
    expect(await engine.run("a/made")).toBe("blocked");
    expect(await results()).toEqual(["run passed", "told errored"]);
    expect(location.begunFor("a/made").map(({ work }) => work.kind)).toEqual(["materialize", "checks"]);
  });
});

test("a check that compute begins to report leaves older versions shut: only another materialization judges them", async () => {
  says("passed");
  expect(await engine.run("a/made")).toBe("succeeded");
  await engine.pool.query(
    "update versions set created_at = created_at - interval '1 minute' where asset_key = 'a/made'",
  );
  const added = checkOf("a/made", "added", { reportedBy: "compute" });
  await engine.define(locationOf("a", assets, [told, run, added]));
  // The plan says so at once, and the run does not wait for what nothing will bring.
  const [step] = (await engine.plan({ selection: "a/reader" })).steps;
  expect(step?.forecast).toMatchObject({ kind: "blocked", reasons: [{ kind: "checkNotRun", check: "added" }] });
  expect(await engine.run("a/reader")).toBe("blocked");
  const view = await loadGateView(engine.pool, [keyOf("a/made")]);
  const request = { asset: "a/made", check: "added" };
  expect(planChecks(engine.mirror.current(), request, view, Date.now())).toMatchObject({ code: "check.not_runnable" });
});
