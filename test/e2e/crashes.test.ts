import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Deployment, deploymentKinds } from "../support/deployment.ts";
import { freePort } from "../support/free-port.ts";
import { HeadgateProcess } from "../support/headgate-process.ts";
import { Ledger } from "../support/ledger.ts";
import type { SplitDeployment } from "../support/split-deployment.ts";
import { startDeployment } from "../support/start-deployment.ts";
import { until } from "../support/until.ts";

/*
 * kill -9 of whatever there is to kill, while steps run. A ledger outside the database says what user code was really
 * started, and the doors that its steps wait at let the test decide when they end.
 */

const module = (name: string) => fileURLToPath(new URL(`locations/${name}`, import.meta.url));

describe.each(deploymentKinds)("kills on a %s deployment", (kind) => {
  let ledger: Ledger;
  let headgate: Deployment;
  let farmPort: number;

  beforeAll(async () => {
    ledger = new Ledger();
    farmPort = await freePort();
    headgate = await startDeployment(kind, {
      locations: [
        { name: "mill", module: module("mill"), env: ledger.env },
        { name: "bakery", module: module("bakery"), env: ledger.env },
        { name: "farm", module: module("farm"), env: ledger.env, port: farmPort },
      ],
    });
    await Promise.all([headgate.healthy("mill"), headgate.healthy("bakery")]);
  });

  afterAll(async () => {
    try {
      // Undefined where it did not start: that is told already.
      await (headgate as Deployment | undefined)?.stop();
    } finally {
      ledger.remove();
    }
  });

  afterEach(async () => {
    expect(ledger.doubleStarts()).toEqual([]);
    await headgate.verify();
  });

  /** What the database says of the attempts of a run. */
  const attempts = (run: string) =>
    headgate.query<{ version: string; state: string; number: number; error: { code: string } | null }>(
      "select version_id as version, state, number, error from attempts where run_id = $1 order by asset_key, partition_key, number",
      [run],
    );

  test("a location that is down at start does not keep the others from loading and running", async () => {
    expect(await headgate.location("farm")).toMatchObject({
      state: "unreachable",
      error: { hint: expect.any(String) },
    });
    expect((await headgate.cli("materialize", "bakery/tea")).status).toBe(0);
    const farm = new HeadgateProcess(
      ["serve", module("farm"), "--port", String(farmPort), "--location-name", "farm", "--team", "farm"],
      { cwd: headgate.folder, env: { ...headgate.env(), HEADGATE_OBJECT_STORE: headgate.objectStore, ...ledger.env } },
    );
    try {
      await farm.said(/Serving /);
      expect((await headgate.cli("location", "reload", "farm")).status).toBe(0);
      await headgate.healthy("farm");
      expect((await headgate.cli("materialize", "farm/wheat")).status).toBe(0);
    } finally {
      await farm.end("SIGTERM");
    }
  });

  test("kill -9 of a location in a step: the other team's run finishes meanwhile, and the step runs again", async () => {
    const run = await headgate.launch("mill/flour");
    const first = await ledger.until({ what: "start", run: run.id });
    const pid = await headgate.killLocation("mill");
    expect((await headgate.cli("materialize", "bakery/tea")).status).toBe(0);
    expect((await headgate.api.get("getRun", `/runs/${run.id}`)).endedAt).toBeNull();
    await headgate.reviveLocation("mill");
    await headgate.healthy("mill", pid);
    const second = await ledger.until({ what: "start", run: run.id }, 2);
    ledger.open("flour");
    expect((await headgate.ended(run.id)).state).toBe("succeeded");
    expect(second.version).not.toBe(first.version);
    expect(await attempts(run.id)).toMatchObject([
      { version: first.version, number: 1, error: { code: expect.stringMatching(/^attempt\./) } },
      { version: second.version, number: 2, state: "succeeded" },
    ]);
    expect(ledger.entries({ what: "end", run: run.id }).map((entry) => entry.version)).toEqual([second.version]);
  });

  test("kill -9 of a location in a step that may not be tried again: it fails, once, with the reason", async () => {
    const run = await headgate.launch("mill/bran");
    const started = await ledger.until({ what: "start", run: run.id });
    const pid = await headgate.killLocation("mill");
    await headgate.reviveLocation("mill");
    expect((await headgate.ended(run.id)).state).toBe("failed");
    await headgate.healthy("mill", pid);
    expect(await attempts(run.id)).toMatchObject([{ version: started.version, number: 1 }]);
    const [step] = await headgate.steps(run.id);
    expect(step?.error).toMatchObject({ code: expect.stringMatching(/^attempt\./), hint: expect.any(String) });
    expect(ledger.entries({ run: run.id })).toHaveLength(1);
  });

  test("kill -9 of a worker process costs one attempt, and the location goes on", async () => {
    const { pid: locationPid } = await headgate.location("mill");
    const run = await headgate.launch("mill/oil or mill/bottles", { partitions: "early" });
    const { pid, version } = await ledger.until({ what: "start", run: run.id, asset: "mill/oil" });
    expect(pid).not.toBe(locationPid);
    process.kill(pid, "SIGKILL");
    expect((await headgate.ended(run.id)).state).toBe("failed");
    expect(await attempts(run.id)).toMatchObject([{ version, state: "crashed" }]);
    expect((await headgate.location("mill")).pid).toBe(locationPid);
    ledger.open("oil-early");
    expect((await headgate.cli("run", "retry", run.id, "--from-failure")).status).toBe(0);
  });

  test("kill -9 of the control plane: a step that ends while it is away is settled once after the restart", async () => {
    const run = await headgate.launch("mill/oil or mill/bottles", { partitions: "late" });
    const started = await ledger.until({ what: "start", run: run.id, asset: "mill/oil" });
    await headgate.killControlPlane();
    ledger.open("oil-late");
    await ledger.until({ what: "end", version: started.version });
    await headgate.startControlPlane();
    expect((await headgate.ended(run.id)).state).toBe("succeeded");
    expect(await attempts(run.id)).toMatchObject([
      { number: 1, state: "succeeded" },
      { version: started.version, number: 1, state: "succeeded" },
    ]);
    expect(ledger.entries({ what: "start", run: run.id })).toHaveLength(2);
  });

  test("kill -9 of the control plane: a step that still runs is adopted, and the command that follows it goes on", async () => {
    const following = headgate.cli("materialize", "mill/sieve");
    const started = await ledger.until({ what: "start", asset: "mill/sieve" });
    await headgate.killControlPlane();
    await headgate.startControlPlane();
    await headgate.until("a daemon drives the run again", async () => {
      const rows = await headgate.query("select from runs join daemons on driver = daemons.id where runs.id = $1", [
        started.run,
      ]);
      return rows.length === 1;
    });
    ledger.open("sieve");
    expect((await headgate.ended(started.run)).state).toBe("succeeded");
    expect(ledger.entries({ what: "start", run: started.run })).toEqual([started]);
    expect(await attempts(started.run)).toMatchObject([{ version: started.version, number: 1, state: "succeeded" }]);
    const { status, stdout, stderr } = await following;
    expect(status, stdout + stderr).toBe(0);
  });

  test("kill -9 of the control plane again and again in a run of many steps: each is computed once, and all end", async () => {
    const run = await headgate.launch("mill/grain+");
    const ended = () => ledger.entries({ what: "end", run: run.id }).length;
    for (const kill of [1, 2, 3, 4]) {
      // Somewhere in the next steps, and at another moment of the step each time.
      const count = ended() + 3 + kill;
      await until(`${count} steps have ended`, () => ended() >= count);
      await delay(kill * 7);
      await headgate.killControlPlane();
      await headgate.startControlPlane();
    }
    expect((await headgate.ended(run.id)).state).toBe("succeeded");
    expect(ledger.entries({ what: "start", run: run.id })).toHaveLength(80);
    expect(ended()).toBe(80);
    const states = await headgate.query(
      "select number, state, count(*)::integer from attempts where run_id = $1 group by number, state",
      [run.id],
    );
    expect(states).toEqual([{ number: 1, state: "succeeded", count: 80 }]);
  });

  test.runIf(kind === "split")("kill -9 of the API does not touch a run, and a new API tells of it", async () => {
    const split = headgate as SplitDeployment;
    const run = await headgate.launch("mill/grist");
    await ledger.until({ what: "start", run: run.id });
    await split.killApi();
    ledger.open("grist");
    await ledger.until({ what: "end", run: run.id });
    await split.startApi();
    expect((await headgate.ended(run.id)).state).toBe("succeeded");
    expect(await attempts(run.id)).toMatchObject([{ number: 1, state: "succeeded" }]);
  });

  test("kill -9 of Postgres: a step that ends while it is away is settled once, and nothing acknowledged is lost", async () => {
    const done = await headgate.cli("materialize", "bakery/tea");
    expect(done.status).toBe(0);
    const tea = await headgate.newest("bakery/tea");
    const run = await headgate.launch("mill/husk");
    const started = await ledger.until({ what: "start", run: run.id });
    await headgate.crashDatabase();
    ledger.open("husk");
    await ledger.until({ what: "end", version: started.version });
    await headgate.reviveDatabase();
    expect((await headgate.ended(run.id)).state).toBe("succeeded");
    expect(await attempts(run.id)).toMatchObject([{ version: started.version, number: 1, state: "succeeded" }]);
    expect(ledger.entries({ what: "start", run: run.id })).toHaveLength(1);
    expect((await headgate.newest("bakery/tea")).id).toBe(tea.id);
  });
});
