import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { Metadata, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test, vi } from "vitest";
import type {
  CodeLocationClient,
  EncodedDefinition,
  GetDefinitionsResponse,
  GetManifestResponse,
  HandshakeResponse,
} from "@headgate/proto";
import { Definition, ManifestEntry_Kind, Outcome } from "@headgate/proto";
import { serve } from "@headgate/sdk/serve";
import type { ServedLocation, ServeOptions } from "@headgate/sdk/serve";
import { client, command, DaemonSession } from "../sdk/support/daemon-session.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";

const good = `
import { asset } from "@headgate/sdk";
export const good = asset({ key: "shop/good", compute: () => undefined });
`;
const listing = (names: string[], checks: string[] = []) => `
import { definitions } from "@headgate/sdk";
${names.map((name) => `import { ${name} } from "./${name}.ts";`).join("\n")}
${checks.map((name) => `import { ${name} } from "./checks.ts";`).join("\n")}
export default definitions({ team: "shop", assets: [${names.join(", ")}], checks: [${checks.join(", ")}] });
`;

let folder: LocationFolder;
let location: ServedLocation;
let stub: CodeLocationClient;
const sessions: DaemonSession[] = [];

async function start(
  files: Readonly<Record<string, string>>,
  options: Partial<ServeOptions> = {},
  module = ".",
): Promise<void> {
  folder = new LocationFolder(files);
  process.env["HEADGATE_TEST_VALUES"] = `${folder.path}/values`;
  location = await serve({ module: `${folder.path}/${module}`, port: 0, workers: 1, signals: false, ...options });
  stub = client(location.port);
}

afterEach(async () => {
  vi.restoreAllMocks();
  for (const session of sessions.splice(0)) await session.drop();
  stub.close();
  await location.close({ deadlineMs: 0 });
  folder.remove();
});

function manifest(knownHash = ""): Promise<GetManifestResponse> {
  return promisify<GetManifestResponse>((callback) =>
    stub.getManifest({ knownHash }, (error, response) => callback(error, response)),
  )();
}

async function definitionsOf(hashes: string[]): Promise<GetDefinitionsResponse[]> {
  const messages: GetDefinitionsResponse[] = [];
  for await (const message of stub.getDefinitions({ hashes })) messages.push(message as GetDefinitionsResponse);
  return messages;
}

/** The entries as lines: what loaded, and the code of what did not. */
async function entries(): Promise<string[]> {
  const { entries } = await manifest();
  return entries
    .map(({ kind, key, error }) => `${ManifestEntry_Kind[kind].slice(5)} ${key} ${error?.code ?? "ok"}`)
    .sort();
}

async function errorOf(key: string) {
  const { entries } = await manifest();
  return entries.find((entry) => entry.key === key && entry.error)?.error;
}

describe("the manifest", () => {
  test("lists hashes of the encoded definitions, and is empty for who has it", async () => {
    await start({
      "definitions.ts": `
import { z } from "zod";
import { asset, assetCheck, assetSpec, definitions, lastValidated, monthlyPartitions, staticPartitions, when } from "@headgate/sdk";
const monthly = monthlyPartitions({ start: "2001-01", end: "2001-08", timezone: "UTC" });
const raw = assetSpec({ key: "other/raw", partitions: monthly });
const region = asset({ key: "shop/region", partitions: staticPartitions(["eu", "us"]), export: ["finance"], compute: () => 1 });
const clean = asset({
  key: "shop/clean", partitions: monthly, deps: { raw: lastValidated(raw, { require: "every" }) }, export: true,
  description: "Clean", tags: { z: "1", a: "2" }, kinds: ["json"], group: "daily", automation: when.onMissing(),
  retry: { maxRetries: 2, backoff: "exponential" }, timeoutMs: 5000, config: z.object({ limit: z.number() }),
  requiredChecks: [{ team: "audit", name: "no_pii" }], compute: () => 1,
});
const rows = assetCheck({ asset: clean, name: "rows", blocking: true, appliesTo: "newVersions", run: () => true });
export default definitions({ team: "shop", assets: [region, clean], checks: [rows] });
`,
    });
    const first = await manifest();
    expect(await entries()).toEqual(["ASSET shop/clean ok", "ASSET shop/region ok", "CHECK shop/clean@rows ok"]);
    expect(first.definitionsHash).toMatch(/^[0-9a-f]{64}$/);
    expect(await manifest(first.definitionsHash)).toMatchObject({ unchanged: true, entries: [] });
    const [message] = await definitionsOf(first.entries.map(({ hash }) => hash));
    const byKey = new Map<string, unknown>();
    for (const { hash, definition } of message?.definitions ?? []) {
      expect(createHash("sha256").update(definition).digest("hex")).toBe(hash);
      const decoded = Definition.decode(definition).definition?.value;
      byKey.set("key" in (decoded ?? {}) ? (decoded as { key: string }).key : "check", decoded);
    }
    expect(byKey.get("shop/clean")).toMatchObject({
      key: "shop/clean",
      description: "Clean",
      dependencies: [{ name: "raw", assetKey: "other/raw", mode: 2, require: { atLeast: 0 } }],
      partitions: {
        kind: { $case: "timeWindow", value: { cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2001-08" } },
      },
      export: true,
      tags: { a: "2", z: "1" },
      retry: { maxRetries: 2, delayMs: 1000, backoff: 3, jitter: 0, maxCrashes: 1 },
      timeoutMs: 5000,
      automation: { kind: { $case: "onMissing" } },
      requiredChecks: [{ assetKey: "shop/clean", team: "audit", name: "no_pii" }],
      source: { file: "definitions.ts", line: 7 },
    });
    expect(JSON.parse((byKey.get("shop/clean") as { configSchema: string }).configSchema)).toMatchObject({
      properties: { limit: { type: "number" } },
    });
    expect(byKey.get("shop/region")).toMatchObject({ export: false, exportTo: ["finance"] });
    expect(byKey.get("check")).toMatchObject({
      assetKey: "shop/clean",
      name: "rows",
      blocking: true,
      version: 1,
      newVersionsOnly: true,
    });
  });

  test("of a large location comes in messages of at most 1 MiB", async () => {
    await start({
      "definitions.ts": `
import { asset, definitions } from "@headgate/sdk";
const assets = Array.from({ length: 400 }, (_, i) => asset({ key: "shop/a" + i, description: "d".repeat(8_000), compute: () => 1 }));
export default definitions({ team: "shop", assets });
`,
    });
    const { entries } = await manifest();
    const messages = await definitionsOf(entries.map(({ hash }) => hash));
    const sizes = messages.map(({ definitions }) =>
      definitions.reduce((sum, one: EncodedDefinition) => sum + one.definition.length + 80, 0),
    );
    expect(messages.length).toBeGreaterThan(3);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_048_576);
    expect(messages.flatMap(({ definitions }) => definitions)).toHaveLength(400);
  });

  test("has the same hash for the same code in another process", async () => {
    const files = { "definitions.ts": listing(["good"]), "good.ts": good };
    await start(files);
    const { definitionsHash, buildId } = await manifest();
    const second = await serve({ module: folder.path, port: 0, workers: 1, signals: false });
    const other = client(second.port);
    const again = await promisify<GetManifestResponse>((callback) =>
      other.getManifest({ knownHash: "" }, (error, response) => callback(error, response)),
    )();
    expect(again).toMatchObject({ definitionsHash, buildId });
    other.close();
    await second.close({ deadlineMs: 0 });
  });
});

describe("the handshake", () => {
  const handshake = (protocolMin: number, protocolMax: number): Promise<HandshakeResponse> =>
    promisify<HandshakeResponse>((callback) =>
      stub.handshake({ protocolMin, protocolMax, daemonId: "d" }, (error, response) => callback(error, response)),
    )();

  test("says who is there, and refuses a protocol that it does not speak in words", async () => {
    await start({ "definitions.ts": listing(["good"]), "good.ts": good }, { locationName: "etl" });
    expect(await handshake(1, 3)).toMatchObject({
      protocol: 2,
      refusal: "",
      sdkVersion: "0.1.0",
      locationName: "etl",
      team: "shop",
      instanceId: location.instanceId,
      pid: process.pid,
    });
    const refused = await handshake(3, 4);
    expect(refused.protocol).toBe(0);
    expect(refused.refusal).toContain(
      "speaks protocol 1 to 2 (SDK 0.1.0), the caller 3 to 4: update the location's SDK",
    );
  });

  test("asks for the token where there is one", async () => {
    await start({ "definitions.ts": listing(["good"]), "good.ts": good }, { token: "open-sesame" });
    await expect(handshake(1, 1)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    const session = await DaemonSession.open(stub);
    expect(session.error?.code).toBe(status.UNAUTHENTICATED);
    const metadata = new Metadata();
    metadata.set("authorization", "Bearer open-sesame");
    const response = await promisify<HandshakeResponse>((callback) =>
      stub.handshake({ protocolMin: 1, protocolMax: 1, daemonId: "d" }, metadata, (error, answer) =>
        callback(error, answer),
      ),
    )();
    expect(response.protocol).toBe(1);
  });
});

describe("what does not load hides nothing else", () => {
  test("a module that throws, and one that does not parse", async () => {
    await start({
      "good.ts": good,
      "thrower.ts": `
import { asset } from "@headgate/sdk";
import { boom } from "./boom.ts";
export const thrower = asset({ key: "shop/thrower", compute: () => boom() });
boom();
`,
      "boom.ts": `export function boom() { throw new Error("no connection"); }`,
      "syntax.ts": `import { asset } from "@headgate/sdk";\nexport const syntax = asset({ key: "shop/syntax" compute: () => 1 });\n`,
      "reader.ts": `
import { asset } from "@headgate/sdk";
import { thrower } from "./thrower.ts";
export const reader = asset({ key: "shop/reader", deps: { thrower }, compute: () => 1 });
`,
      "checks.ts": `
import { assetCheck } from "@headgate/sdk";
import { good } from "./good.ts";
import { syntax } from "./syntax.ts";
export const fine = assetCheck({ asset: good, name: "fine", run: () => true });
export const lost = assetCheck({ asset: syntax, name: "lost", run: () => true });
`,
      "definitions.ts": listing(["good", "thrower", "syntax", "reader"], ["fine", "lost"]),
    });
    expect(await entries()).toEqual([
      "ASSET shop/good ok",
      "ASSET shop/reader definition.module_failed",
      "CHECK shop/good@fine ok",
      "MODULE definitions.ts#checks[1] definition.module_failed",
      "MODULE syntax.ts definition.module_invalid",
      "MODULE thrower.ts definition.module_threw",
    ]);
    expect(await errorOf("thrower.ts")).toMatchObject({
      message: expect.stringContaining("no connection"),
      source: { file: "boom.ts", line: 1 },
    });
    expect(await errorOf("syntax.ts")).toMatchObject({
      message: expect.stringContaining('Expected "}" but found "compute"'),
      source: { file: "syntax.ts", line: 2 },
    });
    expect((await errorOf("shop/reader"))?.message).toContain("comes from thrower.ts, which did not load");
    const session = await DaemonSession.open(stub);
    sessions.push(session);
    expect((await session.run(command("shop/good"))).outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  });

  test("a module that throws no Error, and one that ends the process", async () => {
    await start({
      "good.ts": good,
      "textual.ts": `export const textual = 1; throw "just text";`,
      "exits.ts": `export const exits = 1; process.exit(4);`,
      "definitions.ts": listing(["good", "textual", "exits"]),
    });
    expect(await entries()).toEqual([
      "ASSET shop/good ok",
      "MODULE exits.ts definition.module_threw",
      "MODULE textual.ts definition.module_threw",
    ]);
    expect((await errorOf("textual.ts"))?.message).toContain("just text");
    expect((await errorOf("exits.ts"))?.message).toContain("exit code 4");
  });

  test("another team's contract, also where assets are made of its specs", async () => {
    await start(
      {
        "flights/contract.ts": `
import { assetSpec } from "@headgate/sdk";
export const clean = assetSpec({ key: "flights/clean" });
export const monthly = undefined;
export const helper = (value: any) => value;
throw new Error("contract broke");
`,
        "shop/definitions.ts": `
import { asset, assetCheck, definitions, lastValidated } from "@headgate/sdk";
import { clean, monthly, helper } from "../flights/contract.ts";
const good = asset({ key: "shop/good", compute: () => 1 });
const reader = asset({ key: "shop/reader", deps: { clean: lastValidated(clean) }, compute: () => 1 });
const partitioned = asset({ key: "shop/partitioned", partitions: helper(monthly), compute: () => 1 });
const spread = asset({ ...clean, compute: () => 1 });
const check = assetCheck({ asset: clean, name: "fine", run: () => true });
export default definitions({ team: "shop", assets: [good, reader, partitioned, spread], checks: [check] });
`,
      },
      {},
      "shop",
    );
    expect(await entries()).toEqual([
      "ASSET shop/good ok",
      "ASSET shop/partitioned definition.module_failed",
      "ASSET shop/reader definition.module_failed",
      "MODULE ../flights/contract.ts definition.module_threw",
      "MODULE definitions.ts#assets[3] definition.module_failed",
      "MODULE definitions.ts#checks[0] definition.module_failed",
    ]);
  });

  test("definitions of a wrong shape, each with what is wrong, where, and the remedy", async () => {
    await start({
      "definitions.ts": `
import { asset, assetCheck, assetSpec, definitions, lastValidated, monthlyPartitions, self, staticPartitions, valueOf, windowOffset } from "@headgate/sdk";
const good = asset({ key: "shop/good", compute: () => 1 });
const monthly = { key: "shop/by_spec", value: valueOf<number>(), partitions: monthlyPartitions({ start: "2001-01" }) }; const wrong: any[] = [
  asset({ key: "shop/Bad Key", compute: () => 1 }),
  asset({ key: "other/thing", compute: () => 1 }),
  asset({ key: "shop/typo", dep: { good }, compute: () => 1 } as any),
  asset({ key: "shop/no_compute" } as any),
  asset({ key: "shop/compute_text", compute: "1" } as any),
  asset({ key: "shop/cycle", deps: { gone: undefined as any }, compute: () => 1 }),
  asset({ key: "shop/by_text", deps: { good: "shop/good" as any }, compute: () => 1 }),
  asset({ key: "shop/timeout", timeoutMs: -1, compute: () => 1 }),
  asset({ key: "shop/partitions", partitions: monthlyPartitions({ start: "soon" }), compute: () => 1 }),
  asset({ key: "shop/offset", deps: { x: windowOffset(good, -1) as any }, partitions: staticPartitions(["a"]), compute: () => 1 }),
  asset({ key: "shop/mapping", deps: { x: assetSpec({ key: "shop/eu", partitions: staticPartitions(["eu"]) }) as any }, partitions: staticPartitions(["us"]), compute: () => 1 }),
  assetSpec({ key: "shop/spec" }),
  undefined,
  asset({ key: "shop/twice", compute: () => 1 }),
  asset({ key: "shop/twice", compute: () => 2 }),
  asset({ ...monthly, key: "shop/ahead", deps: { x: windowOffset(self, 0) }, compute: () => 1 }),
  asset({ ...monthly, deps: { x: windowOffset(assetSpec(monthly), -1) }, compute: () => 1 }),
  asset({ ...monthly, key: "shop/chain", deps: { x: windowOffset(self, -1) }, compute: () => 1 }),
  asset({ key: "shop/renamed", formerly: "other/name", compute: () => 1 }),
  asset({ key: "shop/pooled", pool: "Ware house", compute: () => 1 }),
];
const checks: any[] = [
  assetCheck({ asset: good, name: "fine", run: () => true }),
  assetCheck({ asset: good, name: "Not Fine", run: () => true }),
  assetCheck({ asset: wrong[2], name: "of_broken", run: () => true }),
  assetCheck({ asset: undefined as any, name: "of_nothing", run: () => true }),
  assetCheck({ asset: good, name: "blocks", bloking: true, run: () => true } as any),
];
export default definitions({ team: "shop", assets: [good, ...wrong], checks });
`,
    });
    expect(await entries()).toEqual(
      [
        "ASSET shop/good ok",
        "MODULE definitions.ts#assets[1] definition.key_invalid",
        "ASSET other/thing definition.other_team",
        "ASSET shop/typo definition.unknown_field",
        "ASSET shop/no_compute definition.invalid",
        "ASSET shop/compute_text definition.invalid",
        "ASSET shop/cycle definition.dependency_undefined",
        "ASSET shop/by_text definition.dependency_invalid",
        "ASSET shop/timeout definition.invalid",
        "ASSET shop/partitions definition.partitions_invalid",
        "ASSET shop/offset definition.mapping_invalid",
        "ASSET shop/mapping definition.mapping_invalid",
        "ASSET shop/spec definition.invalid",
        "MODULE definitions.ts#assets[13] definition.invalid",
        "ASSET shop/twice definition.duplicate",
        "ASSET shop/ahead definition.cycle",
        "ASSET shop/by_spec definition.dependency_invalid",
        "ASSET shop/chain ok",
        "ASSET shop/renamed definition.invalid_former_key",
        "ASSET shop/pooled definition.invalid",
        "CHECK shop/good@fine ok",
        "CHECK shop/good@Not Fine definition.check_name_invalid",
        "CHECK shop/typo@of_broken definition.asset_broken",
        "MODULE definitions.ts#checks[3] definition.check_without_asset",
        "CHECK shop/good@blocks definition.unknown_field",
      ].sort(),
    );
    expect(await errorOf("shop/typo")).toMatchObject({
      message: 'asset shop/typo has an unknown field "dep".',
      hint: 'Did you mean "deps"?',
      source: { file: "definitions.ts", line: 7 },
    });
    expect((await errorOf("shop/good@blocks"))?.hint).toBe('Did you mean "blocking"?');
    expect((await errorOf("shop/twice"))?.message).toContain("definitions.ts:18 and definitions.ts:19");
    expect((await errorOf("shop/cycle"))?.hint).toContain("import cycle");
    expect(await errorOf("shop/ahead")).toMatchObject({
      message: expect.stringContaining("up to window offset 0, which is not before it") as string,
      hint: expect.stringContaining("windowOffset(self, -1)") as string,
      source: { file: "definitions.ts", line: 20 },
    });
    expect((await errorOf("shop/by_spec"))?.hint).toContain("windowOffset(self, -1)");
  });

  test.each([
    ["throws", `throw new Error("broken at the root");`, "definition.module_threw"],
    ["does not parse", `export default definitions({`, "definition.module_invalid"],
    ["exports something else", `export default { assets: [] };`, "definition.no_definitions"],
  ])("a definitions module that %s is one error, and health is answered all the same", async (_how, text, code) => {
    await start({ "definitions.ts": text });
    expect(await entries()).toEqual([`MODULE definitions.ts ${code}`]);
    const session = await DaemonSession.open(stub);
    sessions.push(session);
    const finished = await session.run(command("shop/any"));
    expect(finished.error?.code).toMatch(/^step\.(code_not_loaded|asset_unknown)$/);
  });
});

describe("a save", () => {
  async function watched(): Promise<DaemonSession> {
    await start({ "definitions.ts": listing(["good"]), "good.ts": good }, { watch: true });
    const session = await DaemonSession.open(stub);
    sessions.push(session);
    return session;
  }
  const added = `${good}\nexport const extra = asset({ key: "shop/extra", compute: () => undefined });\n`;
  const withExtra = `
import { definitions } from "@headgate/sdk";
import * as all from "./good.ts";
export default definitions({ team: "shop", assets: Object.values(all) });
`;

  test("that hangs at import gives way to the one that mends it", async () => {
    const session = await watched();
    const told = new Promise<void>((resolve) => {
      vi.spyOn(process.stderr, "write").mockImplementation((text) => {
        if (String(text).includes("takes long")) resolve();
        return true;
      });
    });
    folder.write({ "good.ts": `${good}\nawait new Promise(() => setInterval(() => {}, 1_000));\n` });
    // The import is under way, and is given up after 30 s otherwise.
    await told;
    folder.write({ "good.ts": added, "definitions.ts": withExtra });
    await session.until(() => session.definitionsHashes.length > 0);
    expect(await entries()).toEqual(["ASSET shop/extra ok", "ASSET shop/good ok"]);
  });

  test("is live at once (a second on a quiet machine), and a step that runs ends on the code that it started with", async () => {
    const session = await watched();
    const before = await manifest();
    folder.write({
      "good.ts": `${good}\nexport const slow = asset({ key: "shop/slow", compute: async () => { await new Promise((r) => setTimeout(r, 1_500)); console.log("old code"); } });\n`,
      "definitions.ts": withExtra,
    });
    await session.until(() => session.definitionsHashes.length > 0);
    const slow = command("shop/slow");
    session.send({ commands: [slow] });
    await session.until(() => session.eventsOf(slow.attemptId).length > 0);
    const seen = session.definitionsHashes.length;
    const savedAt = performance.now();
    folder.write({ "good.ts": added.replaceAll("old code", "new code") });
    await session.until(() => session.definitionsHashes.length > seen);
    expect(performance.now() - savedAt).toBeLessThan(5_000);
    expect((await manifest()).definitionsHash).not.toBe(before.definitionsHash);
    expect(await entries()).toEqual(["ASSET shop/extra ok", "ASSET shop/good ok"]);
    expect((await session.run(command("shop/extra"))).outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
    await session.until(() => session.finishedOf(slow.attemptId) !== undefined);
    expect(session.finishedOf(slow.attemptId)?.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
    expect(session.logOf(slow.attemptId, 1)).toBe("old code\n");
  });

  test("that breaks a module says so, and the next one mends it", async () => {
    const session = await watched();
    folder.write({ "good.ts": `${good}\nthrow new Error("typo");\n` });
    await session.until(() => session.definitionsHashes.length === 1);
    expect(await entries()).toEqual(["MODULE good.ts definition.module_threw"]);
    folder.write({ "good.ts": good });
    await session.until(() => session.definitionsHashes.length === 2);
    expect(await entries()).toEqual(["ASSET shop/good ok"]);
    expect((await session.run(command("shop/good"))).outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  });

  test("that breaks the definitions module leaves the last good code running", async () => {
    const session = await watched();
    folder.write({ "definitions.ts": "export default (" });
    await session.until(() => session.definitionsHashes.length === 1);
    expect(await entries()).toEqual(["MODULE definitions.ts definition.module_invalid"]);
    expect((await session.run(command("shop/good"))).outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
  });

  test("of comments and white space changes no code version", async () => {
    const session = await watched();
    const codeVersion = async () => (await session.run(command("shop/good"))).computed?.codeVersion;
    const before = await codeVersion();
    folder.write({ "good.ts": `// A remark\n\n\n${good}` });
    await session.until(() => session.definitionsHashes.length === 1);
    expect(await codeVersion()).toBe(before);
    folder.write({ "good.ts": good.replace("undefined", 'void console.log("more")') });
    await session.until(() => session.definitionsHashes.length === 2);
    expect(await codeVersion()).not.toBe(before);
  });

  const outside = 'export const price = () => "cheap";\n';
  const usesOutside = `
import { asset } from "@headgate/sdk";
import { price } from "../shared/price.ts";
export const good = asset({ key: "shop/good", compute: () => void console.log(price()) });
`;

  test("of a file outside the folder is seen after two broken ones as well", async () => {
    const definitions = `
import { asset, definitions } from "@headgate/sdk";
import { price } from "../shared/price.ts";
if (price() !== "cheap") throw new Error("too " + price());
export default definitions({ team: "shop", assets: [asset({ key: "shop/good", compute: () => undefined })] });
`;
    await start({ "shop/definitions.ts": definitions, "shared/price.ts": outside }, { watch: true }, "shop");
    const session = await DaemonSession.open(stub);
    sessions.push(session);
    const saved = async (price: string) => {
      const seen = session.definitionsHashes.length;
      folder.write({ "shared/price.ts": outside.replace("cheap", price) });
      await session.until(() => session.definitionsHashes.length > seen);
      return entries();
    };
    expect(await saved("dear")).toEqual(["MODULE definitions.ts definition.module_threw"]);
    expect(await saved("cheap by half")).toEqual(["MODULE definitions.ts definition.module_threw"]);
    expect(await saved("cheap")).toEqual(["ASSET shop/good ok"]);
  });

  test("that makes the file outside the folder that an import lacked mends it", async () => {
    const files = { "shop/definitions.ts": listing(["good"]), "shop/good.ts": usesOutside };
    await start({ ...files, "shared/other.ts": outside }, { watch: true }, "shop");
    const session = await DaemonSession.open(stub);
    sessions.push(session);
    expect(await entries()).toEqual(["MODULE good.ts definition.module_invalid"]);
    folder.write({ "shared/price.ts": outside });
    await session.until(() => session.definitionsHashes.length > 0);
    expect(await entries()).toEqual(["ASSET shop/good ok"]);
  });

  test("that installs another version of a package reaches the next step, though no source changed", async () => {
    const installed = (version: number) => ({
      "shop/node_modules/greeter/package.json": '{ "name": "greeter", "type": "module", "exports": "./index.js" }',
      "shop/node_modules/greeter/index.js": `export const version = ${version};\n`,
      "shop/node_modules/.package-lock.json": `{ "packages": { "node_modules/greeter": { "version": "${version}.0.0" } } }`,
    });
    const asset = good.replace("=> undefined", "=> void console.log(version)");
    await start(
      {
        "shop/definitions.ts": listing(["good"]),
        "shop/good.ts": `import { version } from "greeter";${asset}`,
        ...installed(1),
      },
      { watch: true },
      "shop",
    );
    const session = await DaemonSession.open(stub);
    sessions.push(session);
    const said = async () => {
      const step = command("shop/good");
      await session.run(step);
      return session.logOf(step.attemptId, 1);
    };
    expect(await said()).toBe("1\n");
    folder.write(installed(2));
    await vi.waitUntil(async () => (await said()) === "2\n", { timeout: 20_000 });
  });
});
