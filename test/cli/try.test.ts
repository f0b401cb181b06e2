import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocationFolder } from "../sdk/support/location-folder.ts";
import { freePort } from "../support/free-port.ts";
import { HeadgateProcess, runHeadgate } from "../support/headgate-process.ts";
import { markedProcesses, markName } from "../support/process-census.ts";
import { until } from "../support/until.ts";

const definitions = `
import { asset, assetCheck, assetSpec, definitions, env, monthlyPartitions, resource, secret } from "@headgate/sdk";
import { objectStore, json as storedJson } from "@headgate/connections";
import { writeFileSync } from "node:fs";
import { json } from "./io.ts";
import { broken } from "./broken.ts";

const settings = resource({
  create: ({ read }) => ({ region: read(env("SHOP_REGION")), token: read(secret("SHOP_TOKEN")) }),
});
const config = { "~standard": { version: 1, vendor: "test", validate: (given) =>
  typeof (given.factor ?? 1) === "number" ? { value: { factor: given.factor ?? 1 } } : { issues: [{ message: "no number", path: ["factor"] }] } } };
const orders = assetSpec({ key: "shop/orders" });

const total = asset({
  key: "shop/total",
  resources: { settings },
  config,
  checks: { regional: { blocking: true } },
  compute: (_inputs, { config, resources, log, metadata, check }) => {
    const { region, token } = resources.settings;
    console.log("computing for", region, "with", token);
    log.info("summed", { factor: config.factor });
    metadata({ region });
    check("regional", { passed: region !== "", description: "there is a region" });
    return { total: 2 * config.factor, token };
  },
});
const positive = assetCheck({ asset: total, name: "positive", blocking: true, run: ({ total }) => ({ passed: total > 0, description: total + " in all" }) });
const monthly = asset({
  key: "shop/monthly",
  partitions: monthlyPartitions({ start: "2001-01", end: "2001-04" }),
  io: storedJson({ store: objectStore(env("HEADGATE_OBJECT_STORE")) }),
  compute: (_inputs, { partition }) => [partition.key, partition.window.end.toISOString()],
});
const reads = asset({ key: "shop/reads", deps: { orders }, compute: () => 1 });
const waits = asset({
  key: "shop/waits",
  compute: (_inputs, { signal }) => new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    console.log("waiting");
  }),
});
const crashes = asset({ key: "shop/crashes", compute: () => process.exit(7) });

export default definitions({ team: "shop", io: json, assets: [total, broken, monthly, reads, waits, crashes], checks: [positive] });
`;

interface Tried {
  readonly status: string;
  readonly scratch: string;
  readonly inMemory: boolean;
  readonly value: { readonly place: string } | null;
  readonly preview: { readonly value: string } | null;
  readonly metadata: readonly unknown[];
  readonly checks: readonly { readonly name: string; readonly outcome: string }[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

describe("headgate try, without a control plane", () => {
  const location = new LocationFolder({
    "definitions.ts": definitions,
    // What does not load hides nothing else.
    "broken.ts": `throw new Error("a colleague is at it"); export const broken = undefined;`,
  });
  const mark = randomUUID();
  let folder: string;
  /** Nobody listens there. */
  let nowhere: string;
  const options = () => ({
    cwd: folder,
    env: { [markName]: mark, HEADGATE_URL: nowhere, HEADGATE_TOKEN: "of the control plane" },
  });
  const tried = (...args: readonly string[]) => runHeadgate(["try", ...args], options());
  const json = async (...args: readonly string[]) => {
    const { status, stdout, stderr } = await tried(...args, "--json");
    return { status, stderr, answer: JSON.parse(stdout) as Tried };
  };

  beforeAll(async () => {
    nowhere = `http://127.0.0.1:${await freePort()}`;
    folder = mkdtempSync(join(tmpdir(), "headgate-try-"));
    writeFileSync(join(folder, "shop.env"), "SHOP_REGION=from the file\nSHOP_TOKEN=hunter2-of-the-shop\n");
    const entry = `module: { path: ${location.path}, location_name: shop, env_file: shop.env, env: { HEADGATE_TEST_VALUES: /nowhere/at/all } }`;
    writeFileSync(join(folder, "workspace.yaml"), `load_from:\n  - ${entry}\n`);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    location.remove();
  });

  test("computes and checks an asset with the location's own environment, and shows no secret", async () => {
    const { status, stdout, stderr } = await tried("shop/total", "--set", "shop/total.factor=3");
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('Trying shop/total of code location shop\n  config {"factor":3}\n');
    expect(stdout).toContain("computing for from the file with [redacted]\n");
    expect(stdout).toContain('"message":"summed"');
    expect(stdout).toContain(
      "check regional (blocking): passed · there is a region\ncheck positive (blocking): passed · 6 in all\n",
    );
    expect(stdout).toContain("{ total: 6, token: '[redacted]' }");
    expect(stdout).toMatch(/succeeded in .*; nothing was recorded\n/);
    // Its IO manager has no scratch form, and its real place was not written to.
    expect(stdout).toContain("the value stayed in memory");
    expect(stdout + stderr).not.toContain("hunter2");
  });

  test("ends as a run would: blocked by a check, failed by compute, by config or by a crash", async () => {
    const [blocked, misconfigured, crashed] = await Promise.all([
      json("shop/total", "--set", "shop/total.factor=-1"),
      json("shop/total", "--set", "shop/total.factor=x"),
      json("shop/crashes"),
    ]);
    expect(blocked).toMatchObject({
      status: 3,
      answer: { status: "blocked", checks: [{ outcome: "passed" }, { outcome: "failed" }] },
    });
    expect(misconfigured.status).toBe(1);
    expect(misconfigured.answer.error).toMatchObject({
      code: "step.config_invalid",
      message: "The config for shop/total does not match its schema. at factor: no number",
    });
    expect(crashed).toMatchObject({ status: 1, answer: { status: "failed", error: { code: "step.crashed" } } });
    expect(crashed.answer.error?.message).toBe("The process that computed ended with exit code 7.");
  });

  test("stores in a scratch folder through the IO manager's scratch form, and keeps the newest folders", async () => {
    const kept = join(folder, ".headgate", "try");
    const { status, answer } = await json("shop/monthly", "--partition", "2001-02");
    expect(status).toBe(0);
    expect(dirname(answer.scratch)).toBe(kept);
    const stored = readFileSync(join(answer.scratch, answer.value?.place ?? ""), "utf8");
    expect(JSON.parse(stored)).toEqual(["2001-02", "2001-03-01T00:00:00.000Z"]);
    expect(answer).toMatchObject({ inMemory: false, preview: { value: "[ '2001-02', '2001-03-01T00:00:00.000Z' ]" } });
    expect(existsSync(join(folder, ".headgate", "objects"))).toBe(false);
    for (let n = 10; n < 20; n++) writeFileSync(join(kept, `20990101T0000${n}.000Z-old`), "");
    const next = await json("shop/monthly", "--partition", "2001-01");
    expect(next.status).toBe(0);
    // The others are newer by name; its own is never among those that go.
    expect(existsSync(join(next.answer.scratch, next.answer.value?.place ?? ""))).toBe(true);
    expect(existsSync(answer.scratch)).toBe(false);
    expect(readdirSync(kept)).toHaveLength(10);
  });

  test("refuses what cannot be tried, and says what to write instead", async () => {
    const refusals: [number | null, string][] = [];
    for (const args of [
      ["shop/monthly"],
      ["store/total"],
      ["shop/reads"],
      ["shop/total", "--set", "shop/other.factor=1"],
    ]) {
      const { status, stderr } = await tried(...args);
      // A busy machine has it said that the import takes long.
      refusals.push([status, stderr.replace(/^The import of the definitions takes long.*\n/m, "")]);
    }
    expect(refusals).toEqual([
      [
        2,
        "shop/monthly is partitioned: say which partition.\nFor example --partition 2001-03; there are 2001-01..2001-03.\n",
      ],
      [2, `${join(folder, "workspace.yaml")} has no module of team store.\nIt has modules of shop.\n`],
      [
        2,
        `shop/reads reads shop/orders. No control plane answers at ${nowhere} (ECONNREFUSED).\nStart one with \`npx headgate dev\`, or name one with --from URL.\n`,
      ],
      [2, "Config for shop/other, and shop/total is tried.\nWrite --set shop/total.field=value.\n"],
    ]);
    expect(markedProcesses(mark)).toEqual([]);
  });

  test("Ctrl-C aborts compute through its signal, and leaves no process", async () => {
    const running = new HeadgateProcess(["try", "shop/waits"], options());
    await running.said(/^waiting$/m);
    // Two signals at once are one wish, as `npx` and the terminal both send the one Ctrl-C.
    const [{ code }] = await Promise.all([running.end("SIGINT"), running.end("SIGTERM")]);
    expect(code).toBe(4);
    expect(running.stdout).toMatch(/The step was canceled\. \(step\.canceled\)\ncanceled in /);
    expect(markedProcesses(mark)).toEqual([]);
  });

  test("--inspect waits for a debugger and stops in front of compute, in code that maps to the sources", async () => {
    const running = new HeadgateProcess(["try", "shop/total", "--inspect"], options());
    let client: ChildProcess | undefined;
    try {
      const waiting = () => /Waiting for a debugger at ws:\/\/([^/]+)\//.exec(running.stderr)?.[1];
      const host = await until("it waits for a debugger", () => waiting());
      expect(running.stdout).toBe("");
      // Node's own command line client, which knows no source maps: what it stops at is mapped here.
      client = spawn(process.execPath, ["inspect", host], { stdio: ["pipe", "pipe", "inherit"] });
      let said = "";
      client.stdout?.on("data", (text) => (said += String(text)));
      const at = (pattern: RegExp) =>
        until(`the debugger says ${String(pattern)}`, () => pattern.exec(said) ?? undefined);
      await at(/break in .*:\d+[^]*debug> $/);
      expect(running.stdout).toContain("Trying shop/total");
      expect(running.stdout).not.toContain("computing");
      // Over the `debugger` statement, then into the call.
      said = "";
      client.stdin?.write("next\n");
      await at(/break in .*:\d+[^]*debug> $/);
      said = "";
      client.stdin?.write("step\n");
      const [, file = "", line = ""] = await at(/break in (\S*bundle\.mjs):(\d+)[^]*debug> $/);
      const bundle = file.startsWith("file:") ? fileURLToPath(file) : resolve(file);
      const map = new SourceMap(JSON.parse(readFileSync(`${bundle}.map`, "utf8")));
      const column = (readFileSync(bundle, "utf8").split("\n")[Number(line) - 1] ?? "").search(/\S/);
      const entry = map.findEntry(Number(line) - 1, column) as { originalSource: string; originalLine: number };
      expect(resolve(dirname(bundle), entry.originalSource)).toBe(join(location.path, "definitions.ts"));
      const source = definitions.split("\n")[entry.originalLine];
      expect(source).toContain("const { region, token } = resources.settings;");
      client.stdin?.write("cont\n");
      expect((await running.exited).code).toBe(0);
      expect(running.stdout).toContain("check positive (blocking): passed");
    } finally {
      client?.kill();
      if (!running.isOver) await running.end("SIGKILL");
    }
  });
});
