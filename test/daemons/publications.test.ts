import { existsSync, readFileSync, writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ServedLocation, serve } from "@headgate/sdk/serve";
import type { Daemon } from "../../control-plane/src/daemons/daemon.ts";
import { LocationSync } from "../../control-plane/src/daemons/location-sync.ts";
import type { PublishingLocations } from "../../control-plane/src/daemons/publisher.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { markDiscarded } from "../../control-plane/src/storage/discards.ts";
import { appendEvents } from "../../control-plane/src/storage/append-events.ts";
import { writeAudit } from "../../control-plane/src/storage/audit.ts";
import { bumpGate } from "../../control-plane/src/storage/bump-gate.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";
import { Engine } from "../support/engine.ts";

/**
 * A location whose IO manager publishes by a pointer in a file. Files in its folder steer it: `value` is what compute
 * returns (a check refuses "bad"), `hang` and `fail` what publishing does; `calls` has a line a call.
 */
class Shop {
  readonly team: string;
  readonly folder: LocationFolder;
  served: ServedLocation | undefined;

  constructor(team: string) {
    this.team = team;
    this.folder = new LocationFolder({});
    this.folder.write({
      "definitions.ts": `
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { asset, assetCheck, definitions, ioManager } from "@headgate/sdk";
const at = (name: string) => ${JSON.stringify(join(this.folder.path, "values"))} + "/" + name;
const pointer = ioManager<string>({
  write: (value, { versionId }) => {
    writeFileSync(at(versionId), value);
    return { scheme: "file", place: at(versionId), mediaType: "text/plain" };
  },
  read: ({ place }) => readFileSync(place, "utf8"),
  publish: async ({ place }, { assetKey }) => {
    appendFileSync(at("calls"), readFileSync(place, "utf8") + "\\n");
    if (existsSync(at("hang"))) await new Promise(() => {});
    if (existsSync(at("fail"))) throw new Error("no such view");
    writeFileSync(at("shown"), readFileSync(place, "utf8"));
  },
});
const table = asset({ key: "${team}/table", io: pointer, compute: () => readFileSync(at("value"), "utf8") });
const good = assetCheck({ asset: table, name: "good", blocking: true, run: (value) => value !== "bad" });
export default definitions({ team: "${team}", assets: [table], checks: [good] });
`,
    });
  }

  async start(): Promise<string> {
    this.served = await serve({ module: this.folder.path, port: 0, workers: 2, team: this.team, signals: false });
    return `127.0.0.1:${this.served.port}`;
  }

  #path(name: string): string {
    return join(this.folder.path, "values", name);
  }

  set(name: string, text = ""): void {
    writeFileSync(this.#path(name), text);
  }

  unset(name: string): void {
    rmSync(this.#path(name));
  }

  read(name: string): string {
    return existsSync(this.#path(name)) ? readFileSync(this.#path(name), "utf8") : "";
  }

  async close(): Promise<void> {
    await this.served?.close({ deadlineMs: 0 });
    this.folder.remove();
  }
}

let engine: Engine;
let shops: Shop[];
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  engine = await Engine.open();
  shops = [];
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  const violations = await engine.violations();
  await engine.close();
  for (const shop of shops) await shop.close();
  expect(violations).toEqual([]);
});

async function shopOf(team: string): Promise<Shop> {
  const shop = new Shop(team);
  shops.push(shop);
  return shop;
}

/** A daemon with real sessions to the locations. `calling` stands between it and their publishing. */
async function startDaemon(
  calling: (publish: PublishingLocations["publish"]) => PublishingLocations["publish"] = (publish) => publish,
): Promise<{ readonly daemon: Daemon; readonly close: () => Promise<void> }> {
  const connected: { sync?: LocationSync } = {};
  const publish: PublishingLocations["publish"] = (...args) => connected.sync!.publish(...args);
  const daemon = await engine.startDaemon([], {
    locations: {
      isConnected: (name) => connected.sync?.isConnected(name) ?? false,
      publish: calling(publish),
      evaluate: () => Promise.reject(new Error("it has no sensors")),
    },
  });
  const sync = new LocationSync({
    pool: engine.pool,
    daemonId: () => daemon.id,
    log: { info: () => undefined, warn: () => undefined },
    listener: daemon.listener,
  });
  connected.sync = sync;
  const targets = [];
  for (const shop of shops) {
    const address = shop.served === undefined ? await shop.start() : `127.0.0.1:${shop.served.port}`;
    targets.push({ name: shop.team, team: shop.team, address });
  }
  await sync.setTargets({ targets, complete: true });
  await sync.ready();
  await engine.mirror.refresh();
  const close = async () => {
    await daemon.stop();
    await sync.close();
  };
  closing.push(close);
  return { daemon, close };
}

async function make(shop: Shop, value: string): Promise<void> {
  shop.set("value", value);
  await engine.run(`${shop.team}/table`);
}

/** The newest version that holds this value. */
async function versionOf(value: string): Promise<string> {
  const shop = shops[0]!;
  const { rows } = await engine.pool.query<{ id: string }>("select id from versions order by seq desc");
  const found = rows.find(({ id }) => shop.read(id) === value);
  if (found === undefined) throw new Error(`no version holds ${value}`);
  return found.id;
}

/** Resolves once readers outside see the version with this value, and that is recorded. */
async function shown(value: string): Promise<void> {
  const id = await versionOf(value);
  await engine.until("select from publications where version_id = $1 and daemon is null", [id]);
  expect(shops[0]!.read("shown")).toBe(value);
}

describe("a version", () => {
  test("is shown to readers outside once its gate is open; what is shut never is, and a discard brings the older one back", async () => {
    const shop = await shopOf("shop");
    await startDaemon();
    await make(shop, "one");
    await shown("one");
    await make(shop, "bad");
    await make(shop, "two");
    await shown("two");
    const discarded = await versionOf("two");
    await withTransaction(engine.pool, async (tx) => {
      await bumpGate(tx, "shop/table");
      await markDiscarded(tx, discarded, "ada", "wrong file");
      const details = { version: discarded };
      await writeAudit(tx, { actor: "ada", action: "version.discard", subject: "shop/table", details });
      await appendEvents(tx, [{ kind: "version_discarded", assetKey: "shop/table", partitionKey: "" }]);
    });
    await engine.pool.query("select pg_notify('headgate_events', '')");
    await shown("one");
    expect(shop.read("calls")).toBe("one\ntwo\none\n");
    const { rows } = await engine.pool.query<{ version: string }>(
      "select payload ->> 'version' as version from events where kind = 'version_published' order by seq",
    );
    const [one, two] = [await versionOf("one"), await versionOf("two")];
    expect(rows.map(({ version }) => version)).toEqual([one, two, one]);
  });

  test("that cannot be shown is tried again later, is told of once, and gives way to a newer one at once", async () => {
    const shop = await shopOf("shop");
    shop.set("fail");
    await startDaemon();
    await make(shop, "one");
    await engine.until("select from publications where failures = 2");
    expect(await engine.count("from events where kind = 'publish_failed'")).toBe(1);
    const { rows } = await engine.pool.query(
      "select error ->> 'code' as code, error ->> 'message' as message from publications",
    );
    expect(rows).toEqual([{ code: "io.publish_failed", message: "no such view" }]);
    shop.unset("fail");
    await make(shop, "two");
    await shown("two");
    expect(shop.read("calls")).toBe("one\none\ntwo\n");
  });

  test("is shown by one of two daemons", async () => {
    const shop = await shopOf("shop");
    await startDaemon();
    await startDaemon();
    await make(shop, "one");
    await shown("one");
    await make(shop, "two");
    await shown("two");
    expect(shop.read("calls")).toBe("one\ntwo\n");
  });

  test("is shown again when a daemon was killed between the call and its record, which is harmless", async () => {
    const shop = await shopOf("shop");
    let called: () => void = () => undefined;
    const wasCalled = new Promise<void>((resolve) => (called = resolve));
    const first = await startDaemon((publish) => async (...args) => {
      await publish(...args);
      called();
      return await new Promise<never>((_, reject) => {
        args[2].addEventListener("abort", () => reject(new Error("killed")));
      });
    });
    await make(shop, "one");
    await wasCalled;
    expect(shop.read("shown")).toBe("one");
    expect(await engine.count("from publications where daemon is not null and version_id is null")).toBe(1);
    // As when its process is gone: its row is deleted, by itself or by whoever takes over.
    closing.pop();
    await first.close();
    await startDaemon();
    await shown("one");
    expect(shop.read("calls")).toBe("one\none\n");
    expect(await engine.count("from events where kind = 'version_published'")).toBe(1);
  });
});

test("A failure in one team's code location cannot prevent another team's assets from being shown.", async () => {
  const shop = await shopOf("shop");
  const hanging = await shopOf("mill");
  hanging.set("hang");
  await startDaemon();
  await make(hanging, "never");
  await engine.until("select from publications where asset_key = 'mill/table' and daemon is not null");
  await make(shop, "one");
  await shown("one");
  expect(await engine.count("from publications where asset_key = 'mill/table' and version_id is null")).toBe(1);
});
