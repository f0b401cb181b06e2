import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  bareEntries,
  type BareLocation,
  computeAndPass,
  startBareLocation,
  type WireObject,
} from "../support/bare-location.ts";
import { type Deployment, deploymentKinds, type Run } from "../support/deployment.ts";
import { freePort } from "../support/free-port.ts";
import { Ledger } from "../support/ledger.ts";
import { startDeployment } from "../support/start-deployment.ts";

/* What becomes of runs, as their users meet it: on the command line, with its exit status. */

const module = (name: string) => fileURLToPath(new URL(`locations/${name}`, import.meta.url));

describe.each(deploymentKinds)("runs on a %s deployment", (kind) => {
  let ledger: Ledger;
  let headgate: Deployment;
  let bare: BareLocation;
  /** What the location without the SDK answers to a command. */
  let bareAnswer: (command: WireObject) => WireObject[] = computeAndPass;

  beforeAll(async () => {
    ledger = new Ledger();
    bare = await startBareLocation({ port: await freePort(), compute: (command) => bareAnswer(command) });
    headgate = await startDeployment(kind, {
      locations: [
        { name: "lab", module: module("lab"), env: ledger.env },
        { name: "review", module: module("review") },
        { name: "bare", module: "", port: bare.port },
      ],
    });
    await Promise.all(["lab", "review", "bare"].map((name) => headgate.healthy(name)));
  });

  afterAll(async () => {
    try {
      // Undefined where it did not start: that is told already.
      await (headgate as Deployment | undefined)?.stop();
    } finally {
      await bare.close();
      ledger.remove();
    }
  });

  const attempts = (run: string) =>
    headgate.query<{ number: number; state: string }>(
      "select number, state from attempts where run_id = $1 order by step_index, number",
      [run],
    );
  const launched = async (...args: string[]) => headgate.json<Run>("materialize", ...args, "--detach");

  test("a step that throws is tried again as its policy says, and each attempt keeps its own output", async () => {
    const { status, stdout } = await headgate.cli("materialize", "lab/flaky", "--json");
    expect(status, stdout).toBe(0);
    const { id } = JSON.parse(stdout) as Run;
    expect(await attempts(id)).toEqual([
      { number: 1, state: "failed" },
      { number: 2, state: "failed" },
      { number: 3, state: "succeeded" },
    ]);
    const logs = async (...args: string[]) => (await headgate.cli("run", "logs", id, ...args)).stdout;
    const second = await logs("--step", "lab/flaky", "--attempt", "2");
    expect(second).toContain("printed by attempt 2");
    expect(second).toContain("complained by attempt 2");
    expect(second).toMatch(/logged.*attempt.*2/);
    expect(second).not.toMatch(/attempt [13]/);
    expect((await logs("--stderr")).match(/.*attempt \d/g)).toEqual(
      [1, 2, 3].map((n) => expect.stringContaining(`complained by attempt ${n}`)),
    );
    const { items } = await headgate.json<{ items: { stream: string }[] }>("run", "logs", id, "--attempt", "1");
    expect(new Set(items.map((item) => item.stream))).toEqual(new Set(["stdout", "stderr", "log"]));
  });

  test("an error that is permanent is not tried again: exit 1, with its message", async () => {
    const { status, stdout } = await headgate.cli("materialize", "lab/hopeless");
    expect(status).toBe(1);
    expect(stdout).toContain("the source is gone for good");
    const [run] = await headgate.api.list("listRuns", "/runs", { asset: "lab/hopeless" }, 1);
    expect(await attempts(run?.id ?? "")).toEqual([{ number: 1, state: "failed" }]);
  });

  test("a step that takes longer than its timeout is told to stop: exit 1", async () => {
    const run = await launched("lab/overdue");
    expect((await headgate.ended(run.id)).state).toBe("failed");
    expect(await attempts(run.id)).toEqual([{ number: 1, state: "timedOut" }]);
    const [step] = await headgate.steps(run.id);
    // It ended because it was told to, and did not have to be killed.
    expect(step?.error).toMatchObject({ code: "step.timed_out", message: "The step ran into its timeout of 300 ms." });
    await ledger.until({ what: "aborted", run: run.id });
    expect((await headgate.cli("materialize", "lab/overdue")).status).toBe(1);
  });

  test("a canceled run tells its steps to stop: exit 4", async () => {
    const following = headgate.cli("materialize", "lab/endless");
    const { run } = await ledger.until({ what: "start", asset: "lab/endless" });
    expect((await headgate.cli("run", "cancel", run)).status).toBe(0);
    expect((await following).status).toBe(4);
    expect((await headgate.api.get("getRun", `/runs/${run}`)).state).toBe("canceled");
    expect(ledger.entries({ run }).map((entry) => entry.what)).toEqual(["start", "aborted"]);
  });

  test("executed again from the failure, what succeeded is not computed again", async () => {
    const failed = await headgate.cli("materialize", "lab/first+", "--json");
    expect(failed.status).toBe(1);
    const run = JSON.parse(failed.stdout) as Run;
    expect(run.steps).toEqual({ succeeded: 1, failed: 1, skipped: 1 });
    ledger.open("second");
    const retried = await headgate.cli("run", "retry", run.id, "--from-failure", "--json");
    expect(retried.status, retried.stdout).toBe(0);
    expect(JSON.parse(retried.stdout)).toMatchObject({ source: "retry", retryOf: run.id, steps: { succeeded: 2 } });
    expect(await headgate.versions("lab/first")).toHaveLength(1);
    expect(await headgate.versions("lab/third")).toHaveLength(1);
  });

  test.each([
    ["an asset that does not exist", ["lab/frist"], "lab/first"],
    ["a selection that cannot be read", ["lab/first and ("], ""],
    ["partitions of an asset that has none", ["lab/first", "--partitions", "2001-01"], ""],
  ])("%s is refused: exit 2, no run", async (_what, args, hint) => {
    const before = await headgate.api.list("listRuns", "/runs");
    const { status, stderr } = await headgate.cli("materialize", ...args);
    expect(status, stderr).toBe(2);
    expect(stderr).toContain(hint);
    expect(await headgate.api.list("listRuns", "/runs")).toHaveLength(before.length);
  });

  test("the same idempotency key twice is one run; with another request it is refused", async () => {
    const one = await launched("lab/first", "--idempotency-key", "monday");
    const other = await launched("lab/first", "--idempotency-key", "monday");
    expect(other.id).toBe(one.id);
    const { status, stderr } = await headgate.cli("materialize", "lab/third", "--idempotency-key", "monday");
    expect(status).toBe(2);
    expect(stderr).toContain("monday");
    await headgate.ended(one.id);
  });

  test("a blocking check of another team gates only edges into that team, which alone may waive it", async () => {
    const { status, stdout } = await headgate.cli("materialize", "lab/sample+", "--json");
    expect(status, stdout).toBe(3);
    const { id } = JSON.parse(stdout) as Run;
    const states = Object.fromEntries(
      (await headgate.steps(id)).map((step) => [step.kind === "checks" ? step.checks.join() : step.asset, step.state]),
    );
    expect(states).toEqual({
      "lab/sample": "succeeded",
      "lab/own": "succeeded",
      plausible: "succeeded",
      "review/report": "blocked",
    });
    const { reasons } = await headgate.why("review/report");
    expect(reasons).toMatchObject([{ kind: "checkFailed", asset: "lab/sample", check: "plausible", team: "review" }]);
    expect((await headgate.newest("lab/sample")).open).toBe(true);
    const waived = await headgate.cli("waive", "lab/sample", "--check", "review:plausible", "--reason", "a known peak");
    expect(waived.status, waived.stderr).toBe(0);
    expect((await headgate.cli("materialize", "review/report")).status).toBe(0);
  });

  test("NUL bytes and lone surrogates in metadata are cleaned, in that attempt alone", async () => {
    const { status, stdout } = await headgate.cli("materialize", "lab/spoilt or lab/own or review/report");
    expect(status, stdout).toBe(0);
    const { metadata } = await headgate.newest("lab/spoilt");
    const values = Object.fromEntries(metadata.map(({ name, value }) => [name, value]));
    expect(values["note"]).toBe("beforeafter");
    expect(values["half"]).toBe("");
  });

  test("a location on bare gRPC, without the SDK, is run and gated", async () => {
    bareAnswer = failing;
    const blocked = await headgate.cli("materialize", "bare/numbers+");
    expect(blocked.status, blocked.stdout).toBe(3);
    expect(blocked.stdout).toContain("not_empty");
    expect(await headgate.versions("bare/doubled")).toEqual([]);
    bareAnswer = computeAndPass;
    const passed = await headgate.cli("materialize", "bare/numbers+");
    expect(passed.status, passed.stdout).toBe(0);
    expect(await headgate.versions("bare/doubled")).toHaveLength(1);
  });

  test("a NUL byte that a location puts on the wire spoils neither the batch nor the other locations", async () => {
    bareAnswer = (command) => {
      const [event] = computeAndPass(command);
      const finished = event?.["finished"] as { computed: { metadata: WireObject[] } };
      finished.computed.metadata.push({ name: "no\u0000te", text: "before\u0000after" });
      return [{ finished }];
    };
    const { status, stdout } = await headgate.cli("materialize", "bare/numbers or lab/own or review/report", "--json");
    bareAnswer = computeAndPass;
    expect([0, 1]).toContain(status);
    const steps = await headgate.steps((JSON.parse(stdout) as Run).id);
    const states = Object.fromEntries(steps.map((step) => [step.asset, step.state]));
    expect(states).toMatchObject({ "lab/own": "succeeded", "review/report": "succeeded" });
    expect(["succeeded", "failed"]).toContain(states["bare/numbers"]);
    expect(JSON.stringify(await headgate.versions("bare/numbers"))).not.toContain("\\u0000");
  });

  test("a location that claims another team's key, an impossible key or sends rubbish is refused on each alone", async () => {
    const { definitionsHash } = await headgate.location("lab");
    const stolen = {
      kind: "KIND_ASSET",
      key: "lab/first",
      definition: { asset: { key: "lab/first", export: true } },
    } as const;
    const climbing = { kind: "KIND_ASSET", key: "bare/../lab", definition: { asset: { key: "bare/../lab" } } } as const;
    const rubbish = { kind: "KIND_ASSET", key: "bare/rubbish", bytes: Buffer.from("ff00ff00", "hex") } as const;
    bare.setEntries([...bareEntries(), stolen, climbing, rubbish]);
    const { problems } = await headgate.until("the refusals are told", async () => {
      const location = await headgate.location("bare");
      return location.problems.length === 3 && location;
    });
    expect(problems.map((problem) => problem.key).sort()).toEqual(["bare/../lab", "bare/rubbish", "lab/first"]);
    expect(problems.every(({ message, hint }) => message !== "" && hint !== "")).toBe(true);
    expect(await headgate.location("lab")).toMatchObject({ state: "healthy", definitionsHash, problems: [] });
    const { status, stdout } = await headgate.cli("materialize", "lab/first or bare/numbers");
    expect(status, stdout).toBe(0);
    expect((await headgate.newest("lab/first")).location).toBe("lab");
  });

  test("`headgate verify` finds nothing wrong with any of it", async () => {
    await headgate.verify();
  });
});

function failing(command: WireObject): WireObject[] {
  const [event] = computeAndPass(command);
  const finished = event?.["finished"] as { checks: WireObject[] };
  return [
    {
      finished: {
        ...finished,
        checks: finished.checks.map((check) => ({ ...check, outcome: "CHECK_OUTCOME_FAILED" })),
      },
    },
  ];
}
