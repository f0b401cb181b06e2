import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CodeLocationClient, Finished, Input, StepCommand, VersionReference } from "@headgate/proto";
import { CheckOutcome, DependencyMode, LogStream, Outcome } from "@headgate/proto";
import { serve } from "@headgate/sdk/serve";
import type { ServedLocation } from "@headgate/sdk/serve";
import { client, command, DaemonSession } from "../sdk/support/daemon-session.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";

const folder = new LocationFolder({
  "definitions.ts": `
import { definitions } from "@headgate/sdk";
import * as assets from "./assets.ts";
import * as checks from "./checks.ts";
import { json } from "./io.ts";

export default definitions({ team: "shop", io: json, assets: Object.values(assets), checks: Object.values(checks) });
`,
  "contract.ts": `
import { z } from "zod";
import { assetSpec, monthlyPartitions } from "@headgate/sdk";

export const monthly = monthlyPartitions({ start: "2001-01" });
export const Order = z.object({ id: z.number(), cents: z.int().positive() });
export const orders = assetSpec({ key: "shop/orders", value: z.array(Order), export: true });
export const sales = assetSpec({ key: "shop/sales", partitions: monthly });
export const foreign = assetSpec({ key: "other/prices" });
`,
  "assets.ts": `
import { writeSync } from "node:fs";
import { z } from "zod";
import { allPartitions, asset, lastValidated, multiPartitions, orderOnly, Permanent, resource, RetryLater, secret, self, staticPartitions, windowOffset } from "@headgate/sdk";
import { monthly, orders as ordersSpec, sales as salesSpec } from "./contract.ts";

let created = 0;
const vault = resource({ create: ({ read }) => ({ key: read(secret("SHOP_SECRET")), created: ++created }) });

export const orders = asset({
  ...ordersSpec,
  config: z.object({ cents: z.number().default(5) }),
  compute: (_inputs, { config }) => [{ id: 1, cents: config.cents }],
});
export const nothing = asset({ key: "shop/nothing", compute: () => undefined });
export const sales = asset({ ...salesSpec, compute: (_inputs, { partition }) => ({ key: partition.key, start: partition.window.start.toISOString() }) });
export const report = asset({
  key: "shop/report",
  partitions: monthly,
  deps: { sales: salesSpec, all: lastValidated(allPartitions(salesSpec, { require: { atLeast: 1 } })), nothing: orderOnly(nothing) },
  compute: ({ sales, all, ...rest }, { inputs }) => ({
    sales, all: [...all], leftOut: all.leftOut, rest: Object.keys(rest), upstream: inputs.all.versions[0]?.metadata, order: "nothing" in inputs,
  }),
});
export const talker = asset({
  key: "shop/talker",
  compute: async (_inputs, { log, runId }) => {
    console.log("printed", runId);
    console.error("complained", runId);
    log.info("logged", { runId });
    writeSync(1, "native " + runId + "\\n");
    await new Promise((resolve) => setTimeout(resolve, 30));
    console.log("printed again", runId);
  },
});
export const thrower = asset({
  key: "shop/thrower",
  compute: () => {
    throw new Error("outer", { cause: new TypeError("inner") }); // line 41
  },
});
export const later = asset({ key: "shop/later", compute: () => { throw new RetryLater("busy", { delayMs: 1500 }); } });
export const never = asset({ key: "shop/never", compute: () => { throw new Permanent("gone"); } });
export const invalid = asset({ key: "shop/invalid", value: z.array(z.object({ cents: z.number() })), compute: () => [{ cents: 1 }, { cents: "two" as never }] });
export const dirty = asset({
  key: "shop/dirty",
  compute: (_inputs, { metadata, dataVersion }) => {
    dataVersion("v7");
    metadata({
      nul: "a\\0b", lone: "x\\ud800y", json: { "k\\0": "v\\0" }, when: new Date(0), whole: 3, part: 0.5, yes: true,
      site: new URL("https://example.com/x"), notes: { kind: "markdown", value: "# Hi" }, big: "z".repeat(100_000),
      table: { kind: "table", columns: ["a"], rows: [[1], ["two"], [null]] },
    });
  },
});
export const secretive = asset({
  key: "shop/secretive",
  resources: { vault },
  compute: (_inputs, { resources, log, metadata }) => {
    console.log("the key is " + resources.vault.key);
    log.warn("it is", { key: resources.vault.key });
    metadata({ key: resources.vault.key, created: resources.vault.created });
    if (resources.vault.created > 0) throw new Error("cannot open with " + resources.vault.key);
  },
});
export const uncaught = asset({
  key: "shop/uncaught",
  compute: async () => {
    setTimeout(() => { throw new Error("nobody catches me"); }, 5);
    await new Promise(() => {});
  },
});
export const slow = asset({
  key: "shop/slow",
  compute: async () => { await new Promise((resolve) => setTimeout(resolve, 320)); return { slow: true }; },
});
export const judged = asset({ key: "shop/judged", compute: () => ({ made: true }) });
export const selfChecked = asset({
  key: "shop/self_checked", config: z.object({ rows: z.number().default(3), forget: z.boolean().default(false) }),
  checks: { counted: { blocking: true, version: 2 }, forgotten: {} },
  compute: (_inputs, { check, config }) => {
    check("counted", { passed: config.rows > 0, description: "rows", metadata: { rows: config.rows } });
    if (!config.forget) check("forgotten", true);
    return config.rows;
  },
});
export const several = asset({
  key: "shop/several", partitions: multiPartitions({ region: staticPartitions(["eu", "us"]), month: monthly }),
  compute: (_inputs, { partition }) => ({ ...partition.dimensions, start: partition.window.start.toISOString() }),
});
export const running = asset({
  key: "shop/running", value: z.object({ months: z.number() }), partitions: monthly, deps: { previous: windowOffset(self, -1) },
  compute: ({ previous }) => ({ months: (previous?.months ?? 0) + 1 }),
});
`,
  "checks.ts": `
import { assetCheck, assetChecks } from "@headgate/sdk";
import { judged, orders, selfChecked, slow } from "./assets.ts";
import { foreign } from "./contract.ts";

export const enough = assetCheck({
  asset: orders, name: "enough", blocking: true, version: 2,
  run: (orders) => ({ passed: (orders[0]?.cents ?? 0) >= 5, description: "cents", metadata: { cents: orders[0]?.cents ?? 0 } }),
});
export const dear = assetCheck({ asset: orders, name: "dear", severity: "WARN", run: (orders) => (orders[0]?.cents ?? 0) > 100 });
export const broken = assetCheck({ asset: orders, name: "broken", run: () => { throw new Error("check broke"); } });
export const odd = assetCheck({ asset: orders, name: "odd", run: () => "yes" as never });
export const hangs = assetCheck({ asset: orders, name: "hangs", timeoutMs: 40, run: () => new Promise<boolean>(() => {}) });
export const content = assetCheck({ asset: judged, name: "content", run: (value) => value.made });
let calls = 0;
export const together = assetChecks({
  asset: orders, checks: { counted_once: { blocking: true, version: 3 }, cheap: { severity: "WARN" }, silent: {} },
  run: (orders) => ({ counted_once: { passed: orders.length === 1, metadata: { calls: ++calls } }, cheap: orders.length > 5 }) as never,
});
export const spinning = assetChecks({ asset: judged, checks: { spins_a: {}, spins_b: {} }, timeoutMs: 20, run: () => { for (;;); } });
export const waiting = assetChecks({ asset: judged, checks: { waits_a: {}, waits_b: {} }, timeoutMs: 40, run: () => new Promise<never>(() => {}) });
export const exitsToo = assetCheck({ asset: selfChecked, name: "exits", run: () => process.exit(7) });
export const exits = assetCheck({ asset: judged, name: "exits", run: () => process.exit(7) });
export const badFigures = assetCheck({ asset: judged, name: "bad_figures", run: () => ({ passed: true, metadata: { f: (() => 1) as never } }) });
export const spins = assetCheck({ asset: judged, name: "spins", timeoutMs: 20, run: () => { for (;;); } });
export const throwsLate = assetCheck({
  asset: judged, name: "throws_late",
  run: () => { setTimeout(() => { throw new Error("nobody catches it"); }, 1); return new Promise<boolean>(() => {}); },
});
export const first = assetCheck({ asset: slow, name: "first", run: () => true });
export const lasting = assetCheck({
  asset: slow, name: "lasting",
  run: async (value) => { await new Promise((resolve) => setTimeout(resolve, 500)); return value.slow; },
});
export const ofOthers = assetCheck({
  asset: foreign, name: "of_others",
  run: (value, { metadata, partition }) => ({ passed: value.price === 3, metadata: { rows: metadata.rows, partition: partition === undefined } }),
});
`,
});
let location: ServedLocation;
let stub: CodeLocationClient;
let session: DaemonSession;

beforeAll(async () => {
  process.env["HEADGATE_TEST_VALUES"] = `${folder.path}/values`;
  process.env["SHOP_SECRET"] = "hunter2-hunter2";
  location = await serve({ module: folder.path, port: 0, workers: 2, signals: false });
  stub = client(location.port);
  session = await DaemonSession.open(stub);
});

afterAll(async () => {
  await session?.drop();
  stub?.close();
  await location?.close({ deadlineMs: 0 });
  folder.remove();
});

const run = (assetKey: string, parts: Parameters<typeof command>[1] = {}): Promise<Finished> =>
  session.run(command(assetKey, parts));

function materialize(assetKey: string, inputs: Input[], parts: Partial<StepCommand> = {}): StepCommand {
  const step = command(assetKey, parts);
  const versionId = step.work?.$case === "materialize" ? step.work.value.versionId : "";
  return { ...step, work: { $case: "materialize", value: { versionId, inputs, checks: [], config: "" } } };
}

function withConfig(assetKey: string, config: unknown, checks: string[] = []): StepCommand {
  const step = command(assetKey);
  const work = { versionId: step.attemptId, inputs: [], checks, config: JSON.stringify(config) };
  return { ...step, work: { $case: "materialize", value: work } };
}

test("the value is stored, and the checks judge the stored version in the same step", async () => {
  const finished = await run("shop/orders", { checks: ["enough", "dear"] });
  expect(finished.error).toBeUndefined();
  expect(finished.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  const value = finished.computed?.value;
  expect(JSON.parse(readFileSync(value?.place ?? "", "utf8"))).toEqual([{ id: 1, cents: 5 }]);
  expect(finished.computed?.dataVersion).toBe(value?.digest);
  expect(finished.computed?.codeVersion).toMatch(/^source:[0-9a-f]{16}$/);
  expect(finished.checks.map(({ name, checkVersion, outcome }) => [name, checkVersion, outcome])).toEqual([
    ["enough", 2, CheckOutcome.CHECK_OUTCOME_PASSED],
    ["dear", 1, CheckOutcome.CHECK_OUTCOME_WARNED],
  ]);
  expect(finished.checks[0]?.metadata).toEqual([{ name: "cents", value: { $case: "integer", value: 5 } }]);
});

test("a failed check is a verdict: the step succeeds", async () => {
  const finished = await session.run(withConfig("shop/orders", { cents: 1 }, ["enough"]));
  expect(finished.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  expect(finished.checks[0]).toMatchObject({ outcome: CheckOutcome.CHECK_OUTCOME_FAILED, description: "cents" });
});

test("a check that throws, answers nonsense or hangs is errored, and the value is kept", async () => {
  const finished = await run("shop/orders", { checks: ["broken", "odd", "hangs", "absent", "enough"] });
  expect(finished.outcome).toBe(Outcome.OUTCOME_FAILED);
  expect(finished.computed?.value?.scheme).toBe("file");
  expect(finished.checks.map(({ outcome, error }) => [outcome, error?.code])).toEqual([
    [CheckOutcome.CHECK_OUTCOME_ERRORED, "check.threw"],
    [CheckOutcome.CHECK_OUTCOME_ERRORED, "check.result_invalid"],
    [CheckOutcome.CHECK_OUTCOME_ERRORED, "check.timed_out"],
    [CheckOutcome.CHECK_OUTCOME_ERRORED, "check.unknown"],
    [CheckOutcome.CHECK_OUTCOME_PASSED, undefined],
  ]);
  expect(finished.error?.message).toBe('The check "broken" threw: check broke');
});

test("config is validated, and says where it is wrong", async () => {
  const finished = await session.run(withConfig("shop/orders", { cents: "many" }));
  expect(finished.error?.code).toBe("step.config_invalid");
  expect(finished.error?.message).toContain("at cents");
});

test("a value that does not match its schema fails the step and is not stored", async () => {
  const finished = await run("shop/invalid");
  expect(finished.outcome).toBe(Outcome.OUTCOME_FAILED);
  expect(finished.computed).toBeUndefined();
  expect(finished.error).toMatchObject({ code: "step.value_invalid" });
  expect(finished.error?.message).toContain("The value of shop/invalid does not match its schema. at [1].cents");
});

test("an asset that returns nothing stores nothing, and each version is news", async () => {
  const [first, second] = [await run("shop/nothing"), await run("shop/nothing")];
  expect(first.computed?.value?.scheme).toBe("");
  expect(first.computed?.dataVersion).not.toBe(second.computed?.dataVersion);
});

test("what is thrown is reported with its position in user code and its causes", async () => {
  const finished = await run("shop/thrower");
  expect(finished.outcome).toBe(Outcome.OUTCOME_FAILED);
  expect(finished.error).toMatchObject({ code: "step.threw", message: "outer" });
  const text = readFileSync(`${folder.path}/assets.ts`, "utf8").split("\n");
  const line = text.findIndex((content) => content.includes('new Error("outer"')) + 1;
  expect(finished.error?.position).toMatchObject({ file: "assets.ts", line });
  expect(finished.error?.cause?.message).toBe("TypeError: inner");
});

test("RetryLater and Permanent say what they ask for", async () => {
  expect(await run("shop/later")).toMatchObject({ retryAfterMs: 1500, permanent: false });
  expect(await run("shop/never")).toMatchObject({ permanent: true });
});

test("an error outside of compute's promise fails the attempt, and the next one has a fresh process", async () => {
  const finished = await run("shop/uncaught");
  expect(finished.error).toMatchObject({ code: "step.uncaught", message: "nobody catches me" });
  expect((await run("shop/nothing")).outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
});

test("an asset that the code does not define is refused in words", async () => {
  expect((await run("shop/absent")).error?.code).toBe("step.asset_unknown");
});

test("time-window partitions reach compute with their key and window", async () => {
  const window = { start: "2001-02-01T00:00:00Z", end: "2001-03-01T00:00:00Z" };
  const finished = await session.run({ ...command("shop/sales"), partitionKey: "2001-02", window });
  const stored: unknown = JSON.parse(readFileSync(finished.computed?.value?.place ?? "", "utf8"));
  expect(stored).toEqual({ key: "2001-02", start: "2001-02-01T00:00:00.000Z" });
});

test("partitions of several dimensions reach compute with the key of each", async () => {
  const window = { start: "2001-02-01T00:00:00Z", end: "2001-03-01T00:00:00Z" };
  const finished = await session.run({ ...command("shop/several"), partitionKey: "region=us,month=2001-02", window });
  const stored: unknown = JSON.parse(readFileSync(finished.computed?.value?.place ?? "", "utf8"));
  expect(stored).toEqual({ region: "us", month: "2001-02", start: "2001-02-01T00:00:00.000Z" });
});

test("inputs arrive in the shape that the types promise", async () => {
  const version = async (partitionKey: string): Promise<VersionReference> => {
    const window = { start: `${partitionKey}-01T00:00:00Z`, end: `${partitionKey}-28T00:00:00Z` };
    const finished = await session.run({ ...command("shop/sales"), partitionKey, window });
    const { value, dataVersion = "" } = finished.computed ?? {};
    return { versionId: partitionKey, partitionKey, value, dataVersion, metadata: '{"rows":3}' };
  };
  const [january, february] = [await version("2001-01"), await version("2001-02")];
  const strict = DependencyMode.DEPENDENCY_MODE_STRICT;
  const base = { assetKey: "shop/sales", mode: strict, leftOut: [], single: true };
  const inputs: Input[] = [
    { ...base, name: "sales", versions: [february] },
    { ...base, name: "all", versions: [january, february], leftOut: ["2001-03"], single: false },
    {
      ...base,
      name: "nothing",
      assetKey: "shop/nothing",
      mode: DependencyMode.DEPENDENCY_MODE_ORDER_ONLY,
      versions: [],
    },
  ];
  const finished = await session.run(materialize("shop/report", inputs, { partitionKey: "2001-02" }));
  expect(finished.error).toBeUndefined();
  expect(JSON.parse(readFileSync(finished.computed?.value?.place ?? "", "utf8"))).toMatchObject({
    sales: { key: "2001-02" },
    all: [
      ["2001-01", { key: "2001-01" }],
      ["2001-02", { key: "2001-02" }],
    ],
    leftOut: ["2001-03"],
    rest: [],
    upstream: { rows: 3 },
    order: true,
  });
  const two = [{ ...base, name: "sales", versions: [january, february] }];
  expect((await session.run(materialize("shop/report", two))).error?.code).toBe("step.input_shape");
});

test("an asset reads its earlier partition, and nothing before its first", async () => {
  const previous = { name: "previous", assetKey: "shop/running", mode: DependencyMode.DEPENDENCY_MODE_STRICT };
  const made = async (partitionKey: string, versions: VersionReference[]): Promise<VersionReference> => {
    const inputs: Input[] = [{ ...previous, versions, leftOut: [], single: true }];
    const finished = await session.run(materialize("shop/running", inputs, { partitionKey }));
    expect(finished.error).toBeUndefined();
    const { value, dataVersion = "" } = finished.computed ?? {};
    return { versionId: partitionKey, partitionKey, value, dataVersion, metadata: "" };
  };
  const second = await made("2001-02", [await made("2001-01", [])]);
  expect(JSON.parse(readFileSync(second.value?.place ?? "", "utf8"))).toEqual({ months: 2 });
});

test("a partition that maps to none of the upstream's is told so, and not that a contract is old", async () => {
  const sales = { name: "sales", assetKey: "shop/sales", mode: DependencyMode.DEPENDENCY_MODE_STRICT };
  const inputs: Input[] = [{ ...sales, versions: [], leftOut: [], single: true }];
  const finished = await session.run(materialize("shop/report", inputs, { partitionKey: "2001-01" }));
  expect(finished.error).toMatchObject({ code: "step.input_shape" });
  expect(finished.error?.message).toBe(
    'shop/report reads one partition of shop/sales as "sales", and for 2001-01 there is none.',
  );
  expect(finished.error?.hint).toContain("start later");
});

test("a value that cannot be read names its version, its place and the remedy", async () => {
  const value = { scheme: "file", place: "/nowhere/x.json", mediaType: "application/json", digest: "", sizeBytes: 1 };
  const version = { versionId: "v1", partitionKey: "2001-02", value, dataVersion: "", metadata: "" };
  const mode = DependencyMode.DEPENDENCY_MODE_STRICT;
  const input = { name: "sales", assetKey: "shop/sales", mode, versions: [version], leftOut: [], single: true };
  const { error } = await session.run(materialize("shop/report", [input]));
  expect(error).toMatchObject({ code: "io.read_failed" });
  expect(error?.message).toMatch(/Version v1 of shop\/sales, partition 2001-02 .*\/nowhere\/x\.json/);
  const far = { ...input, versions: [{ ...version, value: { ...value, scheme: "s3" } }] };
  expect((await session.run(materialize("shop/report", [far]))).error?.code).toBe("io.no_reader");
});

test("what an attempt prints, logs and writes natively is its own, also beside another attempt", async () => {
  const steps = [command("shop/talker"), command("shop/talker")];
  await Promise.all(steps.map((step) => session.run(step)));
  for (const { attemptId, runId } of steps) {
    const stdout = session.logOf(attemptId, LogStream.LOG_STREAM_STDOUT);
    expect(stdout.split("\n").sort()).toEqual(
      ["", `native ${runId}`, `printed ${runId}`, `printed again ${runId}`].sort(),
    );
    expect(stdout.indexOf(`printed ${runId}`)).toBeLessThan(stdout.indexOf("printed again"));
    expect(session.logOf(attemptId, LogStream.LOG_STREAM_STDERR)).toBe(`complained ${runId}\n`);
    const line: unknown = JSON.parse(session.logOf(attemptId, LogStream.LOG_STREAM_LOG));
    expect(line).toMatchObject({ level: "info", message: "logged", fields: { runId } });
  }
});

test("metadata keeps its kinds, loses NUL and lone surrogates, and is bounded", async () => {
  const finished = await run("shop/dirty");
  expect(finished.error).toBeUndefined();
  expect(finished.computed?.dataVersion).toBe("v7");
  const values = Object.fromEntries((finished.computed?.metadata ?? []).map(({ name, value }) => [name, value]));
  expect(values["nul"]).toEqual({ $case: "text", value: "ab" });
  expect(values["lone"]).toEqual({ $case: "text", value: "xy" });
  expect(values["json"]).toEqual({ $case: "json", value: '{"k":"v"}' });
  expect(values["when"]).toEqual({ $case: "timestampMs", value: 0 });
  expect(values["whole"]).toEqual({ $case: "integer", value: 3 });
  expect(values["part"]).toEqual({ $case: "number", value: 0.5 });
  expect(values["yes"]).toEqual({ $case: "boolean", value: true });
  expect(values["site"]).toEqual({ $case: "url", value: "https://example.com/x" });
  expect(values["notes"]).toEqual({ $case: "markdown", value: "# Hi" });
  expect(values["table"]).toEqual({
    $case: "table",
    value: { columns: ["a"], rows: [{ cells: ["1"] }, { cells: ['"two"'] }, { cells: ["null"] }] },
  });
  const big = values["big"]?.$case === "text" ? values["big"].value : "";
  expect(Buffer.byteLength(big)).toBeLessThanOrEqual(65_536);
  expect(big).toContain("[cut: 100000 bytes");
});

test("a secret is struck out of what is printed, logged, reported and thrown", async () => {
  const step = command("shop/secretive");
  const finished = await session.run(step);
  const everything =
    JSON.stringify(finished) +
    [LogStream.LOG_STREAM_STDOUT, LogStream.LOG_STREAM_LOG]
      .map((stream) => session.logOf(step.attemptId, stream))
      .join();
  expect(everything).not.toContain("hunter2");
  expect(everything).toContain("the key is [redacted]");
  expect(finished.error?.message).toBe("cannot open with [redacted]");
});

test("a step that lasts says that it started, and reports its value before its checks end", async () => {
  const step = command("shop/slow", { checks: ["first", "lasting"] });
  const finished = await session.run(step);
  expect(finished.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  const kinds = session.eventsOf(step.attemptId).map(({ event }) => event?.$case);
  expect(kinds).toEqual(["started", "computed", "checkCompleted", "checkCompleted", "finished"]);
  expect(finished.computed).toBeUndefined();
  expect(finished.checks).toEqual([]);
  expect(session.eventsOf(step.attemptId).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
});

test("a check that ends its process at once takes neither the value nor the verdicts before it along", async () => {
  const step = command("shop/judged", { checks: ["content", "exits"] });
  const finished = await session.run(step);
  expect(finished).toMatchObject({ outcome: Outcome.OUTCOME_CRASHED, error: { code: "step.worker_died" } });
  const events = session.eventsOf(step.attemptId).map(({ event }) => event);
  expect(events.map((event) => event?.$case)).toEqual(["computed", "checkCompleted", "finished"]);
  expect(events[0]).toMatchObject({ value: { value: { scheme: "file" } } });
  expect(events[1]).toMatchObject({ value: { name: "content", outcome: CheckOutcome.CHECK_OUTCOME_PASSED } });
});

test("verdicts of compute come with the version, and with it alone where a check ends the worker process", async () => {
  const finished = await run("shop/self_checked");
  expect(finished.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  expect(finished.checks.map(({ name, checkVersion, outcome }) => [name, checkVersion, outcome])).toEqual([
    ["counted", 2, CheckOutcome.CHECK_OUTCOME_PASSED],
    ["forgotten", 1, CheckOutcome.CHECK_OUTCOME_PASSED],
  ]);
  const failed = await session.run(withConfig("shop/self_checked", { rows: 0 }));
  expect(failed.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  expect(failed.checks[0]).toMatchObject({ outcome: CheckOutcome.CHECK_OUTCOME_FAILED, description: "rows" });
  const step = command("shop/self_checked", { checks: ["exits"] });
  expect(await session.run(step)).toMatchObject({ outcome: Outcome.OUTCOME_CRASHED });
  const events = session.eventsOf(step.attemptId).map(({ event }) => event);
  expect(events.map((event) => event?.$case)).toEqual(["computed", "checkCompleted", "checkCompleted", "finished"]);
});

test("checks that share a function are judged by one call, each by itself", async () => {
  const names = ["counted_once", "cheap", "silent"];
  const finished = await run("shop/orders", { checks: names });
  expect(finished.checks.map(({ name, checkVersion, outcome }) => [name, checkVersion, outcome])).toEqual([
    ["counted_once", 3, CheckOutcome.CHECK_OUTCOME_PASSED],
    ["cheap", 1, CheckOutcome.CHECK_OUTCOME_WARNED],
    ["silent", 1, CheckOutcome.CHECK_OUTCOME_ERRORED],
  ]);
  expect(finished.checks[0]?.metadata).toMatchObject([{ name: "calls", value: { value: 1 } }]);
  expect(finished.checks[2]?.error).toMatchObject({ code: "check.not_reported" });
});

test("checks that share a function share its timeout, also where it never gives way", async () => {
  const waited = await run("shop/judged", { checks: ["waits_a", "waits_b"] });
  expect(waited.checks.map(({ name, error }) => [name, error?.code])).toEqual([
    ["waits_a", "check.timed_out"],
    ["waits_b", "check.timed_out"],
  ]);
  expect(waited.checks[1]?.error?.message).toContain("The function of the checks waits_a, waits_b ran into");
  const step = command("shop/judged", { checks: ["spins_a", "spins_b"] });
  const spun = await session.run(step);
  expect(spun).toMatchObject({ outcome: Outcome.OUTCOME_CRASHED });
  const checked = session
    .eventsOf(step.attemptId)
    .flatMap(({ event }) => (event?.$case === "checkCompleted" ? [event.value] : []));
  expect(checked.map(({ name, error }) => [name, error?.code])).toEqual([
    ["spins_a", "check.timed_out"],
    ["spins_b", "check.timed_out"],
  ]);
});

test("a verdict that compute forgets has errored, and the value is kept", async () => {
  const finished = await session.run(withConfig("shop/self_checked", { forget: true }));
  expect(finished).toMatchObject({ outcome: Outcome.OUTCOME_FAILED, error: { code: "check.not_reported" } });
  expect(finished.computed?.value?.scheme).toBe("file");
  expect(finished.checks[1]).toMatchObject({ name: "forgotten", outcome: CheckOutcome.CHECK_OUTCOME_ERRORED });
});

test("a step whose check reports what cannot be stored names that check", async () => {
  const finished = await session.run(command("shop/judged", { checks: ["bad_figures"] }));
  expect(finished.error).toMatchObject({
    code: "step.metadata_invalid",
    message: 'The check "bad_figures" reached no verdict: Metadata "f" is a function.',
  });
});

test("a check that throws where nobody catches does not take the value along", async () => {
  const step = command("shop/judged", { checks: ["throws_late"] });
  const finished = await session.run(step);
  expect(finished).toMatchObject({ outcome: Outcome.OUTCOME_FAILED, error: { code: "step.uncaught" } });
  expect(session.eventsOf(step.attemptId).map(({ event }) => event?.$case)).toEqual(["computed", "finished"]);
});

test("a check that never gives way is killed for its own timeout, and alone has errored", async () => {
  const step = command("shop/judged", { checks: ["content", "spins"] });
  const finished = await session.run(step);
  expect(finished).toMatchObject({ outcome: Outcome.OUTCOME_CRASHED, computed: undefined, checks: [] });
  const verdicts = session.eventsOf(step.attemptId).flatMap(({ event }) => {
    return event?.$case === "checkCompleted" ? [[event.value.name, event.value.outcome, event.value.error?.code]] : [];
  });
  expect(verdicts).toEqual([
    ["content", CheckOutcome.CHECK_OUTCOME_PASSED, undefined],
    ["spins", CheckOutcome.CHECK_OUTCOME_ERRORED, "check.timed_out"],
  ]);
});

test("checks run on a version that exists, of another team's asset too", async () => {
  const stored = await run("shop/orders");
  const place = stored.computed?.value?.place ?? "";
  const value = { scheme: "file", place, mediaType: "application/json", digest: "", sizeBytes: 0 };
  const version = { versionId: "v1", partitionKey: "", value, dataVersion: "d", metadata: '{"rows":9}' };
  const { writeFileSync } = await import("node:fs");
  writeFileSync(place, '{"price":3}');
  const step = command("other/prices", { work: { $case: "runChecks", value: { version, checks: ["of_others"] } } });
  const finished = await session.run(step);
  expect(finished.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  expect(finished.computed).toBeUndefined();
  expect(finished.checks[0]?.outcome).toBe(CheckOutcome.CHECK_OUTCOME_PASSED);
  expect(finished.checks[0]?.metadata.map(({ value }) => value?.value)).toEqual([9, true]);
});
