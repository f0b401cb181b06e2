import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CodeLocationClient, ComputationCommand, Finished, StepCommand } from "@headgate/proto";
import { Outcome, RefusedCommand_Reason } from "@headgate/proto";
import { serve } from "@headgate/sdk/serve";
import type { ServedLocation } from "@headgate/sdk/serve";
import { client, command, DaemonSession } from "../sdk/support/daemon-session.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";

const folder = new LocationFolder({
  "definitions.ts": `
import { z } from "zod";
import { appendFileSync } from "node:fs";
import { assetCheck, assetSpec, definitions, multiAsset, Permanent } from "@headgate/sdk";
import { json } from "./io.ts";

const train = assetSpec({ key: "ml/train", value: z.object({ rows: z.int().positive() }) });
const rest = assetSpec({ key: "ml/rest" });
const modes = z.object({ mode: z.string().default("good") });

export const split = multiAsset({
  assets: { train, rest },
  config: modes,
  compute: (_inputs, { config, outputs, selected, runId }) => {
    appendFileSync(process.env.HEADGATE_TEST_VALUES + "/split.log", [...selected].join(" ") + "\\n");
    console.log("splitting", runId);
    outputs.train.metadata({ rows: 3 });
    if (config.mode === "throws") throw new Permanent("no data");
    if (config.mode === "invalid") return { train: { rows: -1 }, rest: 1 };
    if (config.mode === "missing") return { train: { rows: 1 } } as never;
    if (config.mode === "extra") return { train: { rows: 1 }, rest: 1, test: 2 };
    if (config.mode === "nothing") return undefined as never;
    return { train: { rows: 3 }, rest: undefined };
  },
});

const daily = assetSpec({ key: "ml/daily" });
const weekly = assetSpec({ key: "ml/weekly", value: z.number() });
const monthly = assetSpec({ key: "ml/monthly" });
export const totals = multiAsset({
  assets: { daily, weekly, monthly },
  canSubset: true,
  config: modes,
  compute: async (_inputs, { config, selected, signal }) => {
    if (config.mode === "waits") await new Promise((resolve) => signal.addEventListener("abort", resolve));
    const all = { daily: "d", weekly: config.mode === "invalid" ? ("w" as never) : 7, monthly: "m" };
    return Object.fromEntries(Object.entries(all).filter(([name]) => selected.has(name as never)));
  },
});

export default definitions({
  team: "ml",
  io: json,
  assets: [split, totals],
  checks: [
    assetCheck({ asset: train, name: "enough", run: ({ rows }) => { console.log("checking train"); return rows > 2; } }),
    assetCheck({
      asset: train, name: "waits",
      run: (_value, { signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(true))),
    }),
    assetCheck({ asset: rest, name: "exits", run: () => { console.log("leaving"); process.exit(7); } }),
    assetCheck({ asset: monthly, name: "judged", run: (value) => { console.log("judging", value); return true; } }),
  ],
});
`,
});
let location: ServedLocation;
let stub: CodeLocationClient;
let session: DaemonSession;

beforeAll(async () => {
  process.env["HEADGATE_TEST_VALUES"] = `${folder.path}/values`;
  location = await serve({ module: folder.path, port: 0, workers: 1, signals: false });
  stub = client(location.port);
  session = await DaemonSession.open(stub);
});

afterAll(async () => {
  await session?.drop();
  stub?.close();
  await location?.close({ deadlineMs: 0 });
  folder.remove();
});

function computation(members: readonly StepCommand[]): ComputationCommand {
  return { computationId: members[0]?.attemptId ?? "", members: [...members], inputs: [] };
}

function member(assetKey: string, checks: string[] = [], mode = ""): StepCommand {
  const config = mode === "" ? "" : JSON.stringify({ mode });
  const work = { versionId: randomUUID(), inputs: [], checks, config };
  return { ...command(assetKey), work: { $case: "materialize", value: work } };
}

/** The ends of the members, in order. */
async function run(members: readonly StepCommand[]): Promise<Finished[]> {
  session.send({ computations: [computation(members)] });
  await session.until(() => members.every(({ attemptId }) => session.finishedOf(attemptId) !== undefined));
  return members.map(({ attemptId }) => session.finishedOf(attemptId)!);
}

const eventsOf = (attemptId: string): string[] =>
  session.events.filter((event) => event.attemptId === attemptId).map(({ event }) => event?.$case ?? "");

const outputOf = (attemptId: string): string =>
  session.events
    .filter((event) => event.attemptId === attemptId && event.event?.$case === "log")
    .map(({ event }) => (event?.$case === "log" ? Buffer.from(event.value.body).toString() : ""))
    .join("");

const codesOf = (ends: readonly Finished[]): (string | undefined)[] => ends.map(({ error }) => error?.code);

test("one call makes all, each is stored and checked for itself, and what is printed belongs to the first", async () => {
  const members = [member("ml/train", ["enough"]), member("ml/rest")];
  const [train, rest] = await run(members);
  expect(train).toMatchObject({ outcome: Outcome.OUTCOME_SUCCEEDED });
  // The whole is durable before the first of it has ended: the one with a check speaks of its value ahead.
  const kinds = eventsOf(members[0]!.attemptId).filter((kind) => kind !== "log");
  expect(kinds).toEqual(["computed", "checkCompleted", "finished"]);
  const computed = session.events.find(({ event }) => event?.$case === "computed")?.event;
  const place = computed?.$case === "computed" ? computed.value.value?.place : undefined;
  expect(JSON.parse(readFileSync(place ?? "", "utf8"))).toEqual({ rows: 3 });
  expect(rest).toMatchObject({ outcome: Outcome.OUTCOME_SUCCEEDED, computed: { value: { scheme: "" } }, checks: [] });
  expect(outputOf(members[0]!.attemptId)).toContain("splitting");
  expect(outputOf(members[0]!.attemptId)).toContain("checking train");
  expect(outputOf(members[1]!.attemptId)).toBe("");
  expect(readFileSync(`${folder.path}/values/split.log`, "utf8")).toBe("train rest\n");
});

test("what can only be computed as a whole fails as a whole: thrown, invalid, missing, unknown, nothing", async () => {
  const whole = (mode: string) => run([member("ml/train", [], mode), member("ml/rest")]);
  const thrown = await whole("throws");
  expect(thrown.map(({ permanent, error }) => [permanent, error?.code])).toEqual([
    [true, "step.threw"],
    [true, "step.threw"],
  ]);
  const invalid = await whole("invalid");
  expect(codesOf(invalid)).toEqual(["step.value_invalid", "step.sibling_failed"]);
  expect(invalid.map(({ computed }) => computed)).toEqual([undefined, undefined]);
  const missing = await whole("missing");
  expect(codesOf(missing)).toEqual(["step.sibling_failed", "step.output_missing"]);
  expect(missing[1]?.error?.message).toBe('Compute returned no "rest", which is the value of ml/rest.');
  const extra = await whole("extra");
  expect(codesOf(extra)).toEqual(["step.output_unexpected", "step.output_unexpected"]);
  expect(extra[0]?.error?.message).toContain('returned "test", and was asked for { train, rest }');
  expect(codesOf(await whole("nothing"))).toEqual(["step.outputs_invalid", "step.outputs_invalid"]);
});

test("a part of what can only be computed as a whole is refused in words, and so is what is not one set", async () => {
  const alone = await session.run(member("ml/train"));
  expect(alone.error?.code).toBe("step.set_changed");
  expect(alone.error?.message).toContain("computes ml/train only together with ml/rest");
  expect(codesOf(await run([member("ml/train"), member("ml/weekly")]))).toEqual([
    "step.set_changed",
    "step.set_changed",
  ]);
  expect(codesOf(await run([member("ml/train"), member("ml/absent")]))).toEqual([
    "step.asset_unknown",
    "step.asset_unknown",
  ]);
});

test("of what may be subset those are computed that are asked for, and one that fails fails alone", async () => {
  const [weekly, monthly] = await run([member("ml/weekly", [], "invalid"), member("ml/monthly", ["judged"])]);
  expect(weekly?.error?.code).toBe("step.value_invalid");
  expect(monthly).toMatchObject({ outcome: Outcome.OUTCOME_SUCCEEDED, checks: [{ name: "judged" }] });
  const alone = await session.run(member("ml/daily"));
  expect(alone.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  expect(existsSync(alone.computed?.value?.place ?? "")).toBe(true);
  const differs = await run([member("ml/daily", [], "a"), member("ml/weekly", [], "b")]);
  expect(codesOf(differs)).toEqual(["step.config_invalid", "step.config_invalid"]);
});

test("a check that ends the process costs its own asset's check, and no value", async () => {
  const members = [member("ml/train", ["enough"]), member("ml/rest", ["exits"])];
  const [train, rest] = await run(members);
  expect(train?.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  expect(rest?.outcome).toBe(Outcome.OUTCOME_CRASHED);
  expect(eventsOf(members[1]!.attemptId).filter((kind) => kind !== "log")).toEqual(["computed", "finished"]);
  expect(outputOf(members[1]!.attemptId)).toContain("leaving");
});

test("a cancel of one cancels all that have not ended, and the process is free for the next", async () => {
  const members = ["ml/daily", "ml/weekly", "ml/monthly"].map((key) => member(key, [], "waits"));
  session.send({ computations: [computation(members)] });
  await session.until(() => members.every(({ attemptId }) => eventsOf(attemptId).includes("started")));
  session.send({ cancels: [{ attemptId: members[1]!.attemptId, graceMs: 10_000 }] });
  await session.until(() => members.every(({ attemptId }) => session.finishedOf(attemptId) !== undefined));
  const outcomes = members.map(({ attemptId }) => session.finishedOf(attemptId)?.outcome);
  expect(outcomes).toEqual([Outcome.OUTCOME_CANCELED, Outcome.OUTCOME_CANCELED, Outcome.OUTCOME_CANCELED]);
  expect((await session.run(member("ml/daily"))).outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
});

test("a cancel that names one which has ended meanwhile cancels the others", async () => {
  const [train, rest] = [member("ml/train", ["waits"]), member("ml/rest")];
  session.send({ computations: [computation([train, rest])] });
  await session.until(() => session.finishedOf(rest.attemptId) !== undefined);
  session.send({ cancels: [{ attemptId: rest.attemptId, graceMs: 10_000 }] });
  await session.until(() => session.finishedOf(train.attemptId) !== undefined);
  expect(session.finishedOf(train.attemptId)?.outcome).toBe(Outcome.OUTCOME_CANCELED);
  expect(eventsOf(rest.attemptId).filter((kind) => kind === "finished")).toHaveLength(1);
});

test("a command is taken once, as a whole, and counts as one: what waits for the one worker is cancelled as a whole", async () => {
  const running = [member("ml/daily", [], "waits"), member("ml/weekly", [], "waits")];
  const waiting = [member("ml/train"), member("ml/rest")];
  const tooMany = [member("ml/daily"), member("ml/monthly")];
  // Twice the pool of one worker is taken: four attempts, which are two commands.
  session.send({
    computations: [computation(running), computation(waiting), computation(running), computation(tooMany)],
  });
  await session.until(() => session.refused.length === 2);
  expect(session.refused.splice(0)).toEqual(
    tooMany.map(({ attemptId }) => ({ attemptId, reason: RefusedCommand_Reason.REASON_NO_CAPACITY })),
  );
  session.send({ cancels: [{ attemptId: waiting[1]!.attemptId, graceMs: 0 }] });
  await session.until(() => waiting.every(({ attemptId }) => session.finishedOf(attemptId) !== undefined));
  session.send({ cancels: [{ attemptId: running[0]!.attemptId, graceMs: 10_000 }] });
  await session.until(() => running.every(({ attemptId }) => session.finishedOf(attemptId) !== undefined));
  // One of it is known to have ended: the command begins nothing anew.
  const [first, second] = running;
  const sequence = Math.max(...session.events.filter((e) => e.attemptId === first?.attemptId).map((e) => e.sequence));
  session.send({ acknowledgements: [{ attemptId: first!.attemptId, sequence }] });
  session.send({ computations: [computation(running)] });
  await session.until(() => session.refused.length === 1);
  expect(session.refused[0]).toEqual({
    attemptId: first?.attemptId,
    reason: RefusedCommand_Reason.REASON_TOMBSTONED,
  });
  expect(eventsOf(second!.attemptId).filter((kind) => kind === "finished")).toEqual(["finished"]);
});
