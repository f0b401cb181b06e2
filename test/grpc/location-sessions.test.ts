import { existsSync, readFileSync, rmSync } from "node:fs";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CodeLocationClient } from "@headgate/proto";
import { LogStream, Outcome, RefusedCommand_Reason } from "@headgate/proto";
import { serve } from "@headgate/sdk/serve";
import type { ServedLocation } from "@headgate/sdk/serve";
import { client, command, DaemonSession } from "../sdk/support/daemon-session.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";

// Every start of a compute is a line in a file outside of anything that could be replayed.
const definitions = `
import { appendFileSync, existsSync, watch } from "node:fs";
import { asset, definitions } from "@headgate/sdk";

if (existsSync(process.env.HEADGATE_TEST_LEDGER + ".ill")) process.exit(9);
const ledger = (line: string) => appendFileSync(process.env.HEADGATE_TEST_LEDGER!, line + "\\n");

/** Waits until the test makes the file "go". */
const gate = (signal: AbortSignal) => new Promise<void>((resolve, reject) => {
  const go = process.env.HEADGATE_TEST_LEDGER + ".go";
  const look = () => { if (existsSync(go)) { clearInterval(timer); resolve(); } };
  const timer = setInterval(look, 5);
  signal.addEventListener("abort", () => { clearInterval(timer); reject(signal.reason); });
});

const quick = asset({ key: "shop/quick", compute: (_i, { runId }) => ledger("quick " + runId) });
const gated = asset({ key: "shop/gated", compute: async (_i, { runId, signal }) => { ledger("gated " + runId); await gate(signal); } });
const stubborn = asset({ key: "shop/stubborn", compute: async () => { ledger("stubborn"); for (;;) await new Promise((r) => setTimeout(r, 1_000)); } });
const blocked = asset({ key: "shop/blocked", compute: () => { ledger("blocked"); for (;;) {} } });
const killed = asset({ key: "shop/killed", compute: () => { console.log("last words"); process.kill(process.pid, "SIGKILL"); for (;;) {} } });
const exits = asset({ key: "shop/exits", compute: () => { console.log("last words"); process.exit(3); } });
const loud = asset({ key: "shop/loud", compute: async () => {
  for (let i = 0; i < 48; i++) { process.stdout.write("x".repeat(65_536)); await new Promise((r) => setImmediate(r)); }
} });
export default definitions({ team: "shop", assets: [quick, gated, stubborn, blocked, killed, exits, loud] });
`;

let folder: LocationFolder;
let location: ServedLocation;
let stub: CodeLocationClient;
const sessions: DaemonSession[] = [];

beforeEach(async () => {
  folder = new LocationFolder({ "definitions.ts": definitions });
  process.env["HEADGATE_TEST_LEDGER"] = `${folder.path}/ledger`;
  location = await serve({ module: folder.path, port: 0, workers: 2, signals: false });
  stub = client(location.port);
});

afterEach(async () => {
  for (const session of sessions.splice(0)) await session.drop();
  stub.close();
  await location.close({ deadlineMs: 0 });
  folder.remove();
});

async function open(hello: Parameters<typeof DaemonSession.open>[1] = {}): Promise<DaemonSession> {
  const session = await DaemonSession.open(stub, hello);
  sessions.push(session);
  return session;
}

const ledger = (): string[] => {
  const file = `${folder.path}/ledger`;
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
};
const letGo = () => folder.write({ "ledger.go": "" });

async function untilStarted(session: DaemonSession, attemptId: string): Promise<void> {
  await session.until(() => session.eventsOf(attemptId).some(({ event }) => event?.$case === "started"));
}

describe("an attempt's command", () => {
  test("sent twice starts the attempt once", async () => {
    const session = await open();
    const step = command("shop/gated");
    session.send({ commands: [step] });
    await untilStarted(session, step.attemptId);
    session.send({ commands: [step] });
    letGo();
    await session.until(() => session.finishedOf(step.attemptId) !== undefined);
    expect(ledger()).toEqual([`gated ${step.runId}`]);
    expect(session.refused).toEqual([]);
  });

  test("is refused once the attempt ended and was acknowledged, until the run is closed", async () => {
    const session = await open();
    const step = command("shop/quick");
    await session.run(step);
    session.send({ acknowledgements: [{ attemptId: step.attemptId, sequence: 1 }], commands: [step] });
    await session.until(() => session.refused.length === 1);
    expect(session.refused[0]).toEqual({ attemptId: step.attemptId, reason: RefusedCommand_Reason.REASON_TOMBSTONED });
    session.events.length = 0;
    session.send({ closedRuns: [step.runId] });
    await session.run(step);
    expect(ledger()).toHaveLength(2);
  });

  test("of a lower epoch of its run is refused", async () => {
    const session = await open();
    const step = command("shop/quick", { epoch: 4 });
    await session.run(step);
    const old = command("shop/quick", { runId: step.runId, epoch: 3 });
    session.send({ commands: [old] });
    await session.until(() => session.refused.length === 1);
    expect(session.refused[0]).toEqual({ attemptId: old.attemptId, reason: RefusedCommand_Reason.REASON_OLD_EPOCH });
    await session.run(command("shop/quick", { runId: step.runId, epoch: 5 }));
  });

  test("is refused beyond the instance's capacity", async () => {
    const session = await open();
    expect(session.welcome?.credits).toBe(2);
    const steps = Array.from({ length: 6 }, () => command("shop/gated"));
    session.send({ commands: steps });
    await session.until(() => session.refused.length === 2);
    expect(session.refused.map(({ reason }) => reason)).toEqual(
      Array(2).fill(RefusedCommand_Reason.REASON_NO_CAPACITY),
    );
    letGo();
    const taken = steps.slice(0, 4);
    await session.until(() => taken.every(({ attemptId }) => session.finishedOf(attemptId) !== undefined));
    expect(ledger()).toHaveLength(4);
  });
});

describe("a session that drops", () => {
  test("loses nothing: the next one hears what was not stored", async () => {
    const first = await open();
    const step = command("shop/gated");
    first.send({ commands: [step] });
    await untilStarted(first, step.attemptId);
    await first.drop();
    letGo();
    const second = await open({ nonce: 2, inFlight: [{ attemptId: step.attemptId, sequence: 1 }] });
    expect(second.welcome?.held.map(({ attemptId, runId }) => [attemptId, runId])).toEqual([
      [step.attemptId, step.runId],
    ]);
    await second.until(() => second.finishedOf(step.attemptId) !== undefined);
    expect(second.eventsOf(step.attemptId).map(({ sequence }) => sequence)).toEqual([2]);
    expect(second.finishedOf(step.attemptId)?.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
    expect(ledger()).toEqual([`gated ${step.runId}`]);
  });

  test("leaves its attempts to a daemon that does not know them", async () => {
    const first = await open();
    const step = command("shop/quick");
    await first.run(step);
    await first.drop();
    const other = await open({ daemonId: "daemon-2" });
    await other.until(() => other.finishedOf(step.attemptId) !== undefined);
    expect(other.welcome?.held).toEqual([
      { attemptId: step.attemptId, runId: step.runId, finished: true, sequence: 1 },
    ]);
  });

  test("is told apart from an attempt that was never received", async () => {
    const session = await open({ inFlight: [{ attemptId: "never-sent", sequence: 0 }] });
    expect(session.welcome?.held).toEqual([]);
    expect(session.welcome?.instanceId).toBe(location.instanceId);
  });
});

describe("two daemons", () => {
  test("each hear of the attempts that they commanded, and share the workers", async () => {
    const [one, two] = [await open({ daemonId: "one" }), await open({ daemonId: "two" })];
    const [a, b] = [command("shop/gated"), command("shop/gated")];
    one.send({ commands: [a] });
    await two.until(() => two.credits.at(-1) === 1);
    two.send({ commands: [b] });
    await one.until(() => one.credits.at(-1) === 1);
    letGo();
    await one.until(() => one.finishedOf(a.attemptId) !== undefined);
    await two.until(() => two.finishedOf(b.attemptId) !== undefined);
    await one.until(() => one.credits.at(-1) === 2);
    expect(one.eventsOf(b.attemptId)).toEqual([]);
    expect(two.eventsOf(a.attemptId)).toEqual([]);
  });

  test("do not keep an old session of one of them: the newer nonce counts", async () => {
    const newer = await open({ nonce: 7 });
    const older = await open({ nonce: 6 });
    expect(older.error?.code).toBe(status.FAILED_PRECONDITION);
    const newest = await open({ nonce: 8 });
    await newer.until(() => newer.isOver);
    await newest.run(command("shop/quick"));
  });

  test("the one that names an attempt takes it over from the one that commanded it", async () => {
    const [one, two] = [await open({ daemonId: "one" }), await open({ daemonId: "two" })];
    const step = command("shop/gated");
    one.send({ commands: [step] });
    await untilStarted(one, step.attemptId);
    await two.drop();
    const three = await open({ daemonId: "three", inFlight: [{ attemptId: step.attemptId, sequence: 0 }] });
    letGo();
    await three.until(() => three.finishedOf(step.attemptId) !== undefined);
    expect(three.eventsOf(step.attemptId).map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(one.finishedOf(step.attemptId)).toBeUndefined();
  });
});

describe("an attempt's lease", () => {
  test("is renewed by heartbeats, which are answered, and ends the attempt without them", async () => {
    const session = await open();
    // The workers are up: what is measured from here on is the lease.
    await session.run(command("shop/quick"));
    const step = command("shop/gated", { leaseMs: 2_500 });
    session.send({ commands: [step] });
    await untilStarted(session, step.attemptId);
    const startedAt = performance.now();
    while (performance.now() - startedAt < 3_500) {
      const answered = session.heartbeats + 1;
      session.send({ heartbeat: { nonce: answered } });
      await session.until(() => session.heartbeats >= answered);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    const held = await open({ daemonId: "observer" });
    expect(held.welcome?.held.map(({ finished }) => finished).sort()).toEqual([false, true]);
    // No heartbeat from here on. The worker is killed, and the attempt's command refused for good.
    await held.until(() => held.credits.at(-1) === 2);
    held.send({ commands: [step] });
    await held.until(() => held.refused.length === 1);
    expect(held.refused[0]?.reason).toBe(RefusedCommand_Reason.REASON_TOMBSTONED);
    expect(ledger().filter((line) => line.startsWith("gated"))).toHaveLength(1);
  });
});

describe("a worker process that dies", () => {
  test.each([
    ["shop/killed", "by signal SIGKILL"],
    ["shop/exits", "with exit code 3"],
  ])("costs its attempt alone: %s", async (assetKey, how) => {
    const session = await open();
    const step = command(assetKey);
    const beside = command("shop/gated");
    session.send({ commands: [beside] });
    await untilStarted(session, beside.attemptId);
    const finished = await session.run(step);
    expect(finished.outcome).toBe(Outcome.OUTCOME_CRASHED);
    expect(finished.error).toMatchObject({ code: "step.worker_died" });
    expect(finished.error?.message).toContain(how);
    if (assetKey === "shop/exits")
      expect(session.logOf(step.attemptId, LogStream.LOG_STREAM_STDOUT)).toBe("last words\n");
    expect((await session.run(command("shop/quick"))).outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
    letGo();
    await session.until(() => session.finishedOf(beside.attemptId) !== undefined);
    expect(session.finishedOf(beside.attemptId)?.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  });
});

test("steps fail in words when no worker process can load the code any more, until one can", async () => {
  const session = await open();
  folder.write({ "ledger.ill": "" });
  await Promise.all([session.run(command("shop/exits")), session.run(command("shop/exits"))]);
  const finished = await session.run(command("shop/quick"));
  expect(finished.outcome).toBe(Outcome.OUTCOME_CRASHED);
  expect(finished.error).toMatchObject({ code: "step.worker_start_failed" });
  expect(finished.error?.message).toContain("exit code 9");
  rmSync(`${folder.path}/ledger.ill`);
  expect((await session.run(command("shop/quick"))).outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
});

describe("a timeout", () => {
  test("reaches compute as an abort", async () => {
    const session = await open();
    const finished = await session.run(command("shop/gated", { timeoutMs: 80 }));
    expect(finished.outcome).toBe(Outcome.OUTCOME_TIMED_OUT);
    expect(finished.error).toMatchObject({ code: "step.timed_out", message: expect.stringContaining("80 ms") });
  });
});

describe("a cancel", () => {
  test("reaches compute as an abort", async () => {
    const session = await open();
    const step = command("shop/gated");
    session.send({ commands: [step] });
    await untilStarted(session, step.attemptId);
    session.send({ cancels: [{ attemptId: step.attemptId, graceMs: 10_000 }] });
    await session.until(() => session.finishedOf(step.attemptId) !== undefined);
    expect(session.finishedOf(step.attemptId)).toMatchObject({
      outcome: Outcome.OUTCOME_CANCELED,
      error: { code: "step.canceled" },
    });
  });

  test.each(["shop/stubborn", "shop/blocked"])(
    "kills what does not listen, after the grace period: %s",
    async (assetKey) => {
      const session = await open();
      const step = command(assetKey);
      session.send({ commands: [step] });
      await session.until(() => true);
      while (ledger().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      session.send({ cancels: [{ attemptId: step.attemptId, graceMs: 50 }] });
      await session.until(() => session.finishedOf(step.attemptId) !== undefined);
      expect(session.finishedOf(step.attemptId)?.outcome).toBe(Outcome.OUTCOME_CANCELED);
      expect(session.finishedOf(step.attemptId)?.error?.message).toContain("killed");
      expect((await session.run(command("shop/quick"))).outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
    },
  );

  test("ends what waits for a worker without starting it", async () => {
    const session = await open();
    const steps = [command("shop/gated"), command("shop/gated"), command("shop/quick")];
    session.send({ commands: steps });
    const waiting = steps[2]?.attemptId ?? "";
    session.send({ cancels: [{ attemptId: waiting, graceMs: 0 }] });
    await session.until(() => session.finishedOf(waiting) !== undefined);
    expect(session.finishedOf(waiting)?.outcome).toBe(Outcome.OUTCOME_CANCELED);
    letGo();
    await session.until(() => steps.every(({ attemptId }) => session.finishedOf(attemptId) !== undefined));
    expect(ledger().some((line) => line.startsWith("quick"))).toBe(false);
  });
});

test("log output that nobody acknowledges is bounded, and what is dropped is counted", async () => {
  const session = await open();
  const step = command("shop/loud");
  const finished = await session.run(step);
  expect(finished.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  const chunks = session.eventsOf(step.attemptId).flatMap(({ event }) => (event?.$case === "log" ? [event.value] : []));
  const kept = chunks.reduce((sum, { body }) => sum + body.length, 0);
  const dropped = chunks.reduce((sum, { droppedBytes }) => sum + droppedBytes, 0);
  expect(kept).toBeLessThanOrEqual(1_048_576);
  expect(kept + dropped).toBe(48 * 65_536);
  const sequences = session.eventsOf(step.attemptId).map(({ sequence }) => sequence);
  expect(sequences).toEqual(sequences.map((_sequence, index) => index + 1));
});

test("an instance that closes lets its steps end, keeps results until they are acknowledged, and takes no new ones", async () => {
  const session = await open();
  const step = command("shop/gated");
  session.send({ commands: [step] });
  await untilStarted(session, step.attemptId);
  const closed = location.close({ deadlineMs: 20_000 });
  const late = command("shop/quick");
  session.send({ commands: [late] });
  await session.until(() => session.refused.length === 1);
  expect(session.refused[0]).toEqual({ attemptId: late.attemptId, reason: RefusedCommand_Reason.REASON_NO_CAPACITY });
  letGo();
  await session.until(() => session.finishedOf(step.attemptId) !== undefined);
  expect(session.finishedOf(step.attemptId)?.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  session.send({ acknowledgements: [{ attemptId: step.attemptId, sequence: 2 }] });
  await closed;
  await session.until(() => session.isOver);
});
