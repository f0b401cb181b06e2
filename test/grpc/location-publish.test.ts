import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CodeLocationClient, PublishRequest, PublishResponse } from "@headgate/proto";
import { Definition, Outcome } from "@headgate/proto";
import { serve } from "@headgate/sdk/serve";
import type { ServedLocation } from "@headgate/sdk/serve";
import { client, command, DaemonSession } from "../sdk/support/daemon-session.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";

const folder = new LocationFolder({
  "definitions.ts": `
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { asset, definitions, ioManager, resource, secret } from "@headgate/sdk";
import { json } from "./io.ts";

const values = process.env.HEADGATE_TEST_VALUES!;
const vault = resource({ create: ({ read }) => ({ key: read(secret("SHOP_SECRET")) }) });
const views = ioManager({
  ...json,
  resources: { vault },
  publish: async (reference, { assetKey, partitionKey, versionId, resources, signal, log }) => {
    console.log("publishing", assetKey);
    log.info("publishing");
    if (partitionKey === "throws") throw new Error("no view for " + resources.vault.key); // line 14
    if (partitionKey === "waits") await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("echo"))));
    if (partitionKey === "hangs") { writeFileSync(values + "/hangs", ""); for (;;) {} }
    if (partitionKey === "dies") process.exit(7);
    writeFileSync(values + "/" + partitionKey, versionId + " " + reference.place);
  },
});
export const table = asset({ key: "shop/table", io: views, compute: () => 1 });
export const file = asset({ key: "shop/file", compute: () => 1 });
export const broken = asset({ key: "shop/broken", io: ioManager({ write: "no", read: () => 1 } as never), compute: () => 1 });
export default definitions({ team: "shop", io: json, assets: [table, file, broken] });
`,
});

let served: ServedLocation;
let stub: CodeLocationClient;

beforeAll(async () => {
  process.env["HEADGATE_TEST_VALUES"] = join(folder.path, "values");
  process.env["SHOP_SECRET"] = "very-secret-value";
  served = await serve({ module: folder.path, port: 0, workers: 1, signals: false });
  stub = client(served.port);
});

afterAll(async () => {
  stub.close();
  await served.close({ deadlineMs: 0 });
  folder.remove();
});

async function publish(partitionKey: string, assetKey = "shop/table", timeoutMs = 20_000): Promise<PublishResponse> {
  const value = { scheme: "file", place: "/values/v1.json", mediaType: "application/json", digest: "", sizeBytes: 1 };
  const version = { versionId: "v1", partitionKey, value, dataVersion: "d", metadata: "" };
  const call = promisify<PublishRequest, PublishResponse>(stub.publish.bind(stub));
  return await call({ assetKey, version, timeoutMs });
}

test("the manifest says which assets publish, and an IO manager of the wrong form is that asset's error", async () => {
  const manifest = await promisify(stub.getManifest.bind(stub))({ knownHash: "" });
  const { entries } = manifest as { entries: { key: string; hash: string; error?: { message: string } }[] };
  const published = new Map<string, boolean>();
  await new Promise<void>((resolve, reject) => {
    const stream = stub.getDefinitions({ hashes: entries.map(({ hash }) => hash).filter((hash) => hash !== "") });
    stream.on("data", ({ definitions }: { definitions: { definition: Uint8Array }[] }) => {
      for (const { definition } of definitions) {
        const decoded = Definition.decode(definition).definition;
        if (decoded?.$case === "asset") published.set(decoded.value.key, decoded.value.publishes);
      }
    });
    stream.on("end", () => resolve()).on("error", reject);
  });
  expect(Object.fromEntries(published)).toEqual({ "shop/table": true, "shop/file": false });
  expect(entries.find(({ key }) => key === "shop/broken")?.error?.message).toBe(
    '"write" of the IO manager of asset shop/broken must be a function, and is "no".',
  );
});

describe("publishing a version", () => {
  test("runs the writer's own function in a worker process", async () => {
    expect(await publish("works")).toEqual({ error: undefined });
    expect(readFileSync(join(folder.path, "values", "works"), "utf8")).toBe("v1 /values/v1.json");
  });

  test("answers what it threw, with its place in the source and without secrets", async () => {
    const { error } = await publish("throws");
    expect(error).toMatchObject({
      code: "io.publish_failed",
      message: "no view for [redacted]",
      position: { file: "definitions.ts", line: 14 },
    });
  });

  test("is refused for an asset that is not there or publishes nothing", async () => {
    expect((await publish("x", "shop/nowhere")).error?.code).toBe("step.asset_unknown");
    expect((await publish("x", "shop/file")).error?.code).toBe("io.publishes_nothing");
  });

  test("is aborted when its time is over", async () => {
    const { error } = await publish("waits", "shop/table", 50);
    expect(error).toMatchObject({ code: "io.publish_timed_out", message: "Publishing took longer than 50 ms." });
  });

  test("that never gives way costs its worker process, and the next step runs in another one", async () => {
    const hanging = publish("hangs", "shop/table", 300);
    const waiting = publish("works again");
    expect((await hanging).error?.code).toBe("io.publish_timed_out");
    expect(existsSync(join(folder.path, "values", "hangs"))).toBe(true);
    expect((await waiting).error).toBeUndefined();
    expect((await publish("dies")).error).toMatchObject({
      code: "io.publish_crashed",
      message: "The worker process ended with exit code 7.",
    });
    const session = await DaemonSession.open(stub);
    expect((await session.run(command("shop/file"))).outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
    await session.drop();
  });

  test("that finds no free worker in time is told so, and is no failure", async () => {
    const hanging = publish("hangs", "shop/table", 3_000);
    const busy = await publish("late", "shop/table", 50).catch((error: unknown) => error);
    expect(busy).toMatchObject({ code: 8, details: "No worker process was free in time." });
    await hanging;
  });
});
