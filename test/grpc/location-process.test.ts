import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import type { ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { protoPath } from "grpc-health-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CodeLocationClient } from "@headgate/proto";
import { Outcome } from "@headgate/proto";
import { client, command, DaemonSession } from "../sdk/support/daemon-session.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";

// The location as a process of its own, as `headgate serve` starts it.
const files = {
  "definitions.ts": `
import { writeFileSync, existsSync } from "node:fs";
import { asset, definitions } from "@headgate/sdk";
const values = process.env.HEADGATE_TEST_VALUES!;
const gated = asset({ key: "shop/gated", compute: async () => { while (!existsSync(values + "/go")) await new Promise((r) => setTimeout(r, 5)); } });
const blocked = asset({ key: "shop/blocked", compute: () => { writeFileSync(values + "/pid", String(process.pid)); for (;;) {} } });
const resting = asset({ key: "shop/resting", compute: async () => { writeFileSync(values + "/pid", String(process.pid)); await new Promise(() => {}); } });
export default definitions({ team: "shop", assets: [gated, blocked, resting] });
`,
  "run.mjs": `
import { serve } from "@headgate/sdk/serve";
const alone = Number(process.env.HEADGATE_TEST_ALONE_MS);
const { port } = await serve({ module: import.meta.dirname, port: 0, workers: 1, ...(alone > 0 && { exitWhenAloneMs: alone }) });
process.send(port);
`,
};

let folder: LocationFolder;
let served: ChildProcess;
let stub: CodeLocationClient;
let port: number;

async function start(environment: Record<string, string> = {}): Promise<DaemonSession> {
  served = fork(`${folder.path}/run.mjs`, [], {
    env: { ...process.env, HEADGATE_TEST_VALUES: `${folder.path}/values`, ...environment },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  [port] = (await once(served, "message")) as [number];
  stub = client(port);
  return DaemonSession.open(stub);
}

beforeEach(() => {
  folder = new LocationFolder(files);
});

afterEach(() => {
  stub.close();
  served.kill("SIGKILL");
  folder.remove();
});

/** As a load balancer asks. */
async function health(): Promise<string> {
  const loaded = loadPackageDefinition(loadSync(protoPath, { enums: String })) as unknown as {
    readonly grpc: { readonly health: { readonly v1: { readonly Health: ServiceClientConstructor } } };
  };
  const asker = new loaded.grpc.health.v1.Health(`127.0.0.1:${port}`, credentials.createInsecure());
  const check = asker["check"]?.bind(asker) as (
    request: object,
    callback: (error: unknown, answer: unknown) => void,
  ) => void;
  const answer = (await promisify(check)({ service: "" })) as { readonly status: string };
  asker.close();
  return answer.status;
}

async function until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(pid: number): boolean {
  try {
    // A zombie that nobody reaps in a container has ended all the same.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("SIGTERM lets a running step end and its result be acknowledged, then the process ends", async () => {
  const session = await start();
  const step = command("shop/gated");
  session.send({ commands: [step] });
  await session.until(() => session.eventsOf(step.attemptId).length > 0);
  served.kill("SIGTERM");
  while ((await health()) !== "NOT_SERVING") await new Promise((resolve) => setTimeout(resolve, 10));
  session.send({ commands: [command("shop/gated")] });
  await session.until(() => session.refused.length === 1);
  folder.write({ "values/go": "" });
  await session.until(() => session.finishedOf(step.attemptId) !== undefined);
  expect(session.finishedOf(step.attemptId)?.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  const exit = once(served, "exit");
  session.send({ acknowledgements: [{ attemptId: step.attemptId, sequence: 2 }] });
  expect(await exit).toEqual([0, null]);
});

test.each(["shop/resting", "shop/blocked"])("a killed location leaves no worker behind: %s", async (assetKey) => {
  const session = await start();
  session.send({ commands: [command(assetKey)] });
  await until(
    () => existsSync(`${folder.path}/values/pid`) && readFileSync(`${folder.path}/values/pid`, "utf8") !== "",
  );
  const pid = Number(readFileSync(`${folder.path}/values/pid`, "utf8"));
  expect(isAlive(pid)).toBe(true);
  served.kill("SIGKILL");
  await until(() => !isAlive(pid));
});

test("a location that lost its parent goes on with what it runs, and ends when nobody talks to it any more", async () => {
  const session = await start({ HEADGATE_TEST_ALONE_MS: "700" });
  const step = command("shop/gated");
  session.send({ commands: [step] });
  await session.until(() => session.eventsOf(step.attemptId).length > 0);
  const exit = once(served, "exit");
  served.disconnect();
  folder.write({ "values/go": "" });
  await session.until(() => session.finishedOf(step.attemptId) !== undefined);
  session.send({ acknowledgements: [{ attemptId: step.attemptId, sequence: 2 }] });
  // Longer than it would wait alone: a session keeps it up.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(served.exitCode).toBeNull();
  await session.drop();
  expect(await exit).toEqual([0, null]);
});
