import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Ledger } from "../support/ledger.ts";
import { SplitDeployment } from "../support/split-deployment.ts";

/* Two daemons on one database. Whichever drives a run may go, and the other goes on with it. */

const module = fileURLToPath(new URL("locations/mill", import.meta.url));
/** A daemon of the same machine is seen to be gone at once; one that merely stopped has 10 s to live. */
const takenOverWithinMs = 5_000;
const stalledWithinMs = 20_000;

let ledger: Ledger;
let headgate: SplitDeployment;

beforeAll(async () => {
  ledger = new Ledger();
  headgate = await SplitDeployment.create({ locations: [{ name: "mill", module, env: ledger.env }] });
  await headgate.start();
  await headgate.startDaemon();
  await headgate.healthy("mill");
});

afterAll(async () => {
  try {
    // Undefined where it did not start: that is told already.
    await (headgate as SplitDeployment | undefined)?.stop();
  } finally {
    ledger.remove();
  }
});

afterEach(async () => {
  expect(ledger.doubleStarts()).toEqual([]);
  await headgate.verify();
});

async function driver(run: string): Promise<{ id: string; pid: number } | undefined> {
  const [row] = await headgate.query<{ id: string; pid: number }>(
    "select daemons.id, pid from runs join daemons on driver = daemons.id where runs.id = $1",
    [run],
  );
  return row;
}

async function takenOver(run: string, from: { id: string }, withinMs: number): Promise<{ id: string; pid: number }> {
  return headgate.until(
    "another daemon drives the run",
    async () => {
      const now = await driver(run);
      return now !== undefined && now.id !== from.id && now;
    },
    withinMs,
  );
}

async function endsOnce(run: string): Promise<void> {
  expect((await headgate.ended(run)).state).toBe("succeeded");
  const attempts = await headgate.query("select number, state from attempts where run_id = $1", [run]);
  expect(attempts).toEqual([{ number: 1, state: "succeeded" }]);
  expect(ledger.entries({ what: "start", run })).toHaveLength(1);
}

test("when the daemon that drives a run is killed, the other takes over within seconds", async () => {
  const { id } = await headgate.launch("mill/sieve");
  await ledger.until({ what: "start", run: id });
  const first = await driver(id);
  if (first === undefined) throw new Error("nobody drives the run");
  process.kill(first.pid, "SIGKILL");
  await takenOver(id, first, takenOverWithinMs);
  ledger.open("sieve");
  await endsOnce(id);
  await headgate.startDaemon();
});

test("a daemon that was stopped past its lease and goes on is fenced: what it drove was settled once, by the other", async () => {
  const { id } = await headgate.launch("mill/grist");
  await ledger.until({ what: "start", run: id });
  const first = await driver(id);
  if (first === undefined) throw new Error("nobody drives the run");
  process.kill(first.pid, "SIGSTOP");
  try {
    await takenOver(id, first, stalledWithinMs);
    ledger.open("grist");
    await ledger.until({ what: "end", run: id });
  } finally {
    process.kill(first.pid, "SIGCONT");
  }
  await endsOnce(id);
  // It begins anew under another id, and has runs again.
  await headgate.until("it has a new incarnation", async () => {
    const rows = await headgate.query("select from daemons where pid = $1 and id <> $2", [first.pid, first.id]);
    return rows.length === 1;
  });
  const next = await headgate.launch("mill/husk");
  ledger.open("husk");
  await endsOnce(next.id);
});
