import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Deployment } from "../support/deployment.ts";
import { ExampleTeams } from "../support/example-teams.ts";
import { fencedBlocks, placeOf } from "../docs/fenced-blocks.ts";
import { outputProblem } from "../docs/shown-output.ts";
import { HeadgateProcess, runHeadgate } from "../support/headgate-process.ts";
import { createDeployment } from "../support/start-deployment.ts";
import { until } from "../support/until.ts";

const clean = "flights/clean_flights";
const cleanFlightsFile = "flights/assets/clean-flights.ts";
const february = "2001-02";

interface Tried {
  readonly status: string;
  readonly scratch: string;
  readonly inputs: readonly { readonly versions: readonly { readonly id: string; readonly newest: boolean }[] }[];
  readonly metadata: readonly { readonly name: string; readonly value: unknown }[];
  readonly checks: readonly { readonly name: string; readonly outcome: string }[];
  readonly error: {
    readonly message: string;
    readonly position: { readonly file: string; readonly line: number };
  } | null;
}

describe("headgate try beside a control plane", () => {
  const teams = new ExampleTeams();
  let headgate: Deployment;

  beforeAll(async () => {
    headgate = await createDeployment("dev", { locations: [{ name: "flights", module: teams.module("flights") }] });
    await headgate.start();
    await headgate.until(
      "the flights of February are clean",
      async () => (await headgate.versions(clean, february)).length > 0,
    );
    await headgate.until("nothing is under way", async () => {
      return (await headgate.api.list("listRuns", "/runs", { state: "started" })).length === 0;
    });
  });
  afterAll(async () => {
    try {
      await headgate.stop();
    } finally {
      teams.remove();
    }
  });

  const outcome = (...args: readonly string[]) =>
    runHeadgate(["try", ...args], {
      cwd: headgate.folder,
      env: { ...headgate.env(), HEADGATE_OBJECT_STORE: headgate.objectStore },
    });
  const tried = async (...args: readonly string[]): Promise<[number | null, Tried]> => {
    const { status, stdout, stderr } = await outcome(...args, "--json");
    if (stdout === "") throw new Error(stderr);
    return [status, JSON.parse(stdout) as Tried];
  };
  const objects = () => readdirSync(fileURLToPath(headgate.objectStore), { recursive: true }).length;
  /** All that a control plane records of anything. */
  const recorded = async () => {
    const tables = ["events", "runs", "attempts", "versions", "check_results", "decisions", "audit"];
    const counts = tables.map((table) => `(select count(*) from ${table}) as ${table}`);
    return (await headgate.query(`select ${counts.join(", ")}`))[0];
  };
  const valueOf = ({ metadata }: Pick<Tried, "metadata">, name: string) =>
    metadata.find((entry) => entry.name === name)?.value;

  test("runs the code of the checkout on validated inputs, and nothing is recorded or stored anywhere else", async () => {
    const made = await headgate.newest(clean, february);
    const raw = await headgate.newest("flights/raw_flights", february);
    const before = [await recorded(), objects()];
    const [status, answer] = await tried(clean, "--partition", february);
    expect(status).toBe(0);
    expect(answer.inputs).toMatchObject([{ versions: [{ id: raw.id, newest: true }] }]);
    expect(valueOf(answer, "rows")).toBe(valueOf(made, "rows"));
    const verdicts = (checks: readonly { readonly name: string; readonly outcome: string }[]) =>
      checks.map(({ name, outcome: verdict }) => `${name} ${verdict}`).sort();
    expect(verdicts(answer.checks)).toEqual(verdicts(made.results));
    expect(readdirSync(join(answer.scratch, clean, february))).toHaveLength(1);
    expect([await recorded(), objects()]).toEqual(before);
    // One that is broken in the checkout alone.
    const undo = teams.replace(cleanFlightsFile, "      where delay >= -120\n", "");
    const [broken, dirty] = await tried(clean, "--partition", february).finally(undo);
    expect([broken, dirty.status]).toEqual([3, "blocked"]);
    expect(dirty.checks).toContainEqual(
      expect.objectContaining({ name: "no_departure_two_hours_early", outcome: "failed" }),
    );
    expect((await headgate.newest(clean, february)).id).toBe(made.id);
  });

  test("the page on debugging shows commands that run, and what they say", async () => {
    const file = "docs/how-to/debugging.md";
    const blocks = fencedBlocks(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8"), file);
    const { attempt = "", run = "" } = await headgate.newest(clean, february);
    const real = (line: string) =>
      line.replace(/(?<=run show )\S+/, run ?? "").replace(/(?<=--attempt )\S+/, attempt ?? "");
    let said = "";
    for (const block of blocks.filter(({ language }) => language === "sh" || language === "text")) {
      if (block.language === "text") {
        expect(outputProblem(block.text, said, new Map()), placeOf(block)).toBeUndefined();
        continue;
      }
      for (const line of block.text.split("\n")) {
        const [npx, name, ...args] = real(line).split(" ");
        expect([npx, name], placeOf(block)).toEqual(["npx", "headgate"]);
        const started = new HeadgateProcess(args, {
          cwd: headgate.folder,
          env: { ...headgate.env(), HEADGATE_OBJECT_STORE: headgate.objectStore },
        });
        // What waits for a debugger waits until somebody ends it.
        if (args.includes("--inspect")) {
          await until(line, () => started.stderr.includes("Waiting for a debugger at ws://127.0.0.1:"));
          await started.end("SIGKILL");
        } else expect([line, (await started.exited).code, started.stderr]).toEqual([line, 0, ""]);
        said = started.stdout;
      }
    }
  });

  test("is blocked, to the root, where an input has no open version", async () => {
    const { status, stdout } = await outcome(clean, "--partition", "2001-07");
    expect(status).toBe(3);
    expect(stdout).toContain("Blocked: flights/clean_flights 2001-07 reads what has no open version\n");
    expect(stdout).toContain("flights/raw_flights 2001-07: check enough_rows failed: 6 rows, 310,000 needed");
  });

  test("reads what an attempt read, after a newer version came, and says where compute threw", async () => {
    const made = await headgate.newest(clean, february);
    const attempt = made.attempt ?? "";
    const then = await headgate.newest("flights/raw_flights", february);
    const run = await headgate.launch("flights/raw_flights", { partitions: february });
    expect((await headgate.ended(run.id)).state).toBe("succeeded");
    const now = await headgate.newest("flights/raw_flights", february);
    expect(now.id).not.toBe(then.id);
    const [, fresh] = await tried(clean, "--partition", february);
    expect(fresh.inputs).toMatchObject([{ versions: [{ id: now.id, newest: true }] }]);
    const throwing = "    const rows = await clean.count();\n";
    const undo = teams.replace(cleanFlightsFile, throwing, `    throw new Error("as in production");\n${throwing}`);
    const [status, answer] = await tried(clean, "--attempt", attempt).finally(undo);
    expect(status).toBe(1);
    expect(answer.inputs).toMatchObject([{ versions: [{ id: then.id, newest: false }] }]);
    expect(answer.error).toMatchObject({ message: "as in production", position: { file: "assets/clean-flights.ts" } });
    const other = await outcome("flights/airports", "--attempt", attempt);
    expect([other.status, other.stderr]).toEqual([
      2,
      `Attempt ${attempt} is of ${clean}, partition ${february}.\nTry what it made: npx headgate try ${clean} --attempt ${attempt}\n`,
    ]);
  });
});
