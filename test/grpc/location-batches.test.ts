import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CodeLocationClient, Finished, Input, StepCommand, VersionReference } from "@headgate/proto";
import { DependencyMode, Outcome } from "@headgate/proto";
import { serve } from "@headgate/sdk/serve";
import type { ServedLocation } from "@headgate/sdk/serve";
import { DaemonSession, client, command } from "../sdk/support/daemon-session.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";

const folder = new LocationFolder({
  "definitions.ts": `
import { appendFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { Permanent, asset, assetCheck, definitions, monthlyPartitions, valueOf } from "@headgate/sdk";
import { json } from "./io.ts";

const month = monthlyPartitions({ start: "2001-01", end: "2002-01" });
const raw = asset({ key: "shop/raw", partitions: month, value: valueOf<number>(), compute: () => 1 });
const rates = asset({ key: "shop/rates", value: valueOf<number>(), compute: () => 10 });
const tell = (line: string) => appendFileSync(process.env.HEADGATE_TEST_VALUES + "/calls.log", line + "\\n");

export const totals = asset({
  key: "shop/totals",
  partitions: month,
  batch: { partitionsMax: 6 },
  deps: { raw, rates },
  value: z.number().positive(),
  config: z.object({ mode: z.string().default("good") }),
  checks: { counted: { blocking: true } },
  compute: async ({ raw, rates }, { partitions, config, signal }) => {
    tell(partitions.map(({ key }) => key).join(" "));
    console.log("totalling", partitions.length);
    if (config.mode === "throws") throw new Error("no data");
    if (config.mode === "waits") await new Promise((resolve) => signal.addEventListener("abort", resolve));
    const values = new Map<string, number>();
    for (const { key, window, metadata, check, fail, inputs } of partitions) {
      metadata({ starts: window.start.toISOString(), reads: inputs.raw.versions.length });
      check("counted", key !== "2001-04");
      values.set(key, raw.get(key) * rates.get(key));
      if (config.mode !== "partly") continue;
      if (key === "2001-01") fail(new Permanent("closed in January"));
      if (key === "2001-02") values.set(key, -1);
      if (key === "2001-03") values.delete(key);
    }
    if (config.mode === "extra") values.set("2001-12", 1);
    return values;
  },
});
const single = asset({ key: "shop/single", partitions: month, compute: () => 1 });

export default definitions({
  team: "shop",
  io: json,
  assets: [raw, rates, totals, single],
  checks: [assetCheck({ asset: totals, name: "round", run: async (value, { partition }) => {
    if (partition.key === "2001-05") process.exit(7);
    return value % 10 === 0;
  } })],
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

const edge = { mode: DependencyMode.DEPENDENCY_MODE_STRICT, leftOut: [], single: true };
const keyOf = (n: number): string => `2001-${String(n).padStart(2, "0")}`;

/** A stored version of an upstream; its place is a file of its own. */
function version(value: number, partitionKey: string, isThere = true): VersionReference {
  const versionId = randomUUID();
  const place = `${folder.path}/values/${versionId}.json`;
  if (isThere) writeFileSync(place, JSON.stringify(value));
  const reference = { scheme: "file", place, mediaType: "application/json", digest: "", sizeBytes: 1 };
  return { versionId, partitionKey, value: reference, dataVersion: "1", metadata: "" };
}

function member(n: number, mode = "good", checks: string[] = [], isThere = true): StepCommand {
  const own = { ...edge, name: "raw", assetKey: "shop/raw", versions: [version(n, keyOf(n), isThere)] };
  const work = { versionId: randomUUID(), inputs: [own], checks, config: JSON.stringify({ mode }) };
  const window = { start: `${keyOf(n)}-01T00:00:00Z`, end: `${keyOf(n + 1)}-01T00:00:00Z` };
  return { ...command("shop/totals"), partitionKey: keyOf(n), window, work: { $case: "materialize", value: work } };
}

const rates = (): Input => ({ ...edge, name: "rates", assetKey: "shop/rates", versions: [version(10, "")] });

/** The ends of the members, in order. */
async function run(members: readonly StepCommand[]): Promise<Finished[]> {
  session.send({
    computations: [{ computationId: members[0]?.attemptId ?? "", members: [...members], inputs: [rates()] }],
  });
  await session.until(() => members.every(({ attemptId }) => session.finishedOf(attemptId) !== undefined));
  return members.map(({ attemptId }) => session.finishedOf(attemptId)!);
}

const codesOf = (ends: readonly Finished[]): (string | undefined)[] => ends.map(({ error }) => error?.code);
const calls = (): string[] => readFileSync(`${folder.path}/values/calls.log`, "utf8").trim().split("\n");

test("one call makes several partitions, each with its own inputs, metadata, verdicts and checks", async () => {
  const members = [member(1), member(3), member(4, "good", ["round"])];
  const ends = await run(members);
  expect(ends.map(({ outcome }) => outcome)).toEqual(Array(3).fill(Outcome.OUTCOME_SUCCEEDED));
  expect(calls()).toEqual(["2001-01 2001-03 2001-04"]);
  const computed = members.map(({ attemptId }, n) => {
    const early = session.eventsOf(attemptId).find(({ event }) => event?.$case === "computed")?.event;
    return ends[n]?.computed ?? (early?.$case === "computed" ? early.value : undefined);
  });
  const values = computed.map((each) => JSON.parse(readFileSync(each?.value?.place ?? "", "utf8")) as unknown);
  expect(values).toEqual([10, 30, 40]);
  expect(computed.map((each) => each?.metadata.map(({ value }) => value))).toEqual(
    [1, 3, 4].map((n) => [
      { $case: "text", value: `${keyOf(n)}-01T00:00:00.000Z` },
      { $case: "integer", value: 1 },
    ]),
  );
  const verdicts = members.map(({ attemptId }, n) => {
    const early = session
      .eventsOf(attemptId)
      .flatMap(({ event }) => (event?.$case === "checkCompleted" ? [event.value] : []));
    return [...early, ...(ends[n]?.checks ?? [])].map(({ name, outcome }) => `${name} ${outcome}`);
  });
  expect(verdicts).toEqual([["counted 1"], ["counted 1"], ["counted 3", "round 1"]]);
});

test("one that fails, is not valid, is forgotten or cannot be read fails alone, in words", async () => {
  const ends = await run([
    member(1, "partly"),
    member(2, "partly"),
    member(3, "partly"),
    member(6, "partly", [], false),
    member(7, "partly"),
  ]);
  expect(codesOf(ends)).toEqual([
    "step.threw",
    "step.value_invalid",
    "step.partition_missing",
    "io.read_failed",
    undefined,
  ]);
  expect(ends.map(({ permanent }) => permanent)).toEqual([true, false, false, false, false]);
  expect(ends[2]?.error?.message).toBe(
    "Compute of shop/totals returned nothing for partition 2001-03, which it was asked for.",
  );
  // What could not be read was not asked for.
  expect(calls().at(-1)).toBe("2001-01 2001-02 2001-03 2001-07");
  expect(ends[4]).toMatchObject({ outcome: Outcome.OUTCOME_SUCCEEDED });
});

test("what concerns the call concerns all: a throw, a partition that nobody asked for, a cancel", async () => {
  expect(codesOf(await run([member(1, "throws"), member(2)]))).toEqual(["step.threw", "step.threw"]);
  const extra = await run([member(1, "extra"), member(2)]);
  expect(codesOf(extra)).toEqual(["step.partition_unexpected", "step.partition_unexpected"]);
  expect(extra[1]?.error?.message).toBe("Compute of shop/totals returned 2001-12, which it was not asked for.");
  const members = [member(1, "waits"), member(2)];
  const ends = run(members);
  await session.until(() => session.eventsOf(members[0]!.attemptId).some(({ event }) => event?.$case === "log"));
  session.send({ cancels: [{ attemptId: members[1]!.attemptId, graceMs: 5_000 }] });
  expect((await ends).map(({ outcome }) => outcome)).toEqual([Outcome.OUTCOME_CANCELED, Outcome.OUTCOME_CANCELED]);
});

test("one partition alone is a call of one, and what fails of it fails the step", async () => {
  const alone = (n: number, mode?: string): StepCommand => {
    const { work, ...rest } = member(n, mode);
    if (work?.$case !== "materialize") throw new Error("no work");
    return {
      ...rest,
      work: { $case: "materialize", value: { ...work.value, inputs: [...work.value.inputs, rates()] } },
    };
  };
  expect(await session.run(alone(9))).toMatchObject({ outcome: Outcome.OUTCOME_SUCCEEDED });
  expect(calls().at(-1)).toBe("2001-09");
  expect(codesOf([await session.run(alone(3, "partly"))])).toEqual(["step.partition_missing"]);
});

test("a process that dies in the checks of one costs no version that was stored", async () => {
  const members = [member(2), member(5, "good", ["round"]), member(6, "good", ["round"])];
  const ends = await run(members);
  expect(ends.map(({ outcome }) => outcome)).toEqual([
    Outcome.OUTCOME_SUCCEEDED,
    Outcome.OUTCOME_CRASHED,
    Outcome.OUTCOME_CRASHED,
  ]);
  for (const { attemptId } of members.slice(1)) {
    expect(session.eventsOf(attemptId).map(({ event }) => event?.$case)).toContain("computed");
  }
});

test("several partitions of an asset that computes one in a call are refused in words", async () => {
  const of = (n: number): StepCommand => ({ ...member(n), assetKey: "shop/single" });
  const ends = await run([of(1), of(2)]);
  expect(codesOf(ends)).toEqual(["step.set_changed", "step.set_changed"]);
  expect(ends[0]?.error?.message).toContain("computes one partition of shop/single in a call, and was asked for 2");
});
