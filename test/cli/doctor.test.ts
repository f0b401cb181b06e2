import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clockFinding } from "../../control-plane/src/processes/doctor/service-findings.ts";
import { nodeFinding } from "../../control-plane/src/processes/doctor/machine-findings.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { runHeadgate } from "../support/headgate-process.ts";

interface Finding {
  readonly check: string;
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  readonly remedy: string;
}

describe("headgate doctor", () => {
  let folder: string;
  let database: TestDatabase;
  const shop = new LocationFolder({
    "definitions.ts": `
      import { asset, definitions, env, resource, secret } from "@headgate/sdk";
      const settings = [env("SHOP_URL"), env("SHOP_LEVEL", "info"), secret("SHOP_PASSWORD"), env("SHOP_REGION")];
      export const good = asset({ key: "shop/good", compute: () => settings.length });
      export default definitions({ team: "shop", assets: [good] });
    `,
  });
  const held = createServer((_request, response) => response.writeHead(401).end("{}"));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "headgate-doctor-"));
    database = await testDatabase();
    held.listen(0, "127.0.0.1");
    await once(held, "listening");
  });
  afterAll(async () => {
    held.close();
    await database.drop();
    shop.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const doctor = async (entries: readonly string[], env: Record<string, string>, ...args: readonly string[]) => {
    writeFileSync(join(folder, "workspace.yaml"), `load_from:\n${entries.map((entry) => `  - ${entry}\n`).join("")}`);
    const { status, stdout, stderr } = await runHeadgate(["doctor", ...args], { cwd: folder, env });
    return { status, stdout, stderr };
  };

  test("names all that fails with a remedy each, and shows no secret", async () => {
    const { port } = held.address() as AddressInfo;
    const entries = [
      `module: { path: ${shop.path}, location_name: shop, env: { SHOP_REGION: eu } }`,
      "grpc_server: { host: 127.0.0.1, port: 1, location_name: gone }",
      `module: { path: "$\{NO_SUCH_PATH}", location_name: unset, env: { A: "$\{NO_SUCH_VALUE}" } }`,
    ];
    const env = {
      HEADGATE_URL: `http://127.0.0.1:${port}`,
      HEADGATE_TOKEN: "token-that-nobody-sees",
      HEADGATE_DATABASE_URL: "postgres://headgate:password-that-nobody-sees@127.0.0.1:1/headgate",
    };
    const { status, stdout, stderr } = await doctor(entries, env, "--port", String(port), "--json");
    const { healthy, findings } = JSON.parse(stdout) as { healthy: boolean; findings: Finding[] };
    expect([status, healthy]).toEqual([1, false]);
    const wrong = findings.filter((finding) => finding.status !== "ok");
    expect(wrong.map(({ check, status: how }) => `${how} ${check}`).sort()).toEqual([
      "fail control-plane",
      "fail database",
      "fail location gone",
      "fail location shop",
      "fail location shop",
      "fail workspace",
      "fail workspace",
      "warn port",
    ]);
    expect(wrong.filter(({ remedy }) => remedy === "")).toEqual([]);
    const texts = wrong.map(({ message }) => message).join("\n");
    for (const name of ["SHOP_URL", "SHOP_PASSWORD", "NO_SUCH_PATH", "NO_SUCH_VALUE", "does not take HEADGATE_TOKEN"]) {
      expect(texts).toContain(name);
    }
    expect(texts).not.toMatch(/SHOP_LEVEL|SHOP_REGION/);
    if (process.platform === "linux") expect(texts).toContain(`held by process ${process.pid} (`);
    expect(stdout + stderr).not.toContain("nobody-sees");
  });

  test("ends with 0 where nothing fails, with a line for each thing that was looked at", async () => {
    const { status, stdout } = await doctor(
      [`module: { path: ${shop.path}, location_name: shop, env: { SHOP_URL: u, SHOP_PASSWORD: p, SHOP_REGION: eu } }`],
      { HEADGATE_DATABASE_URL: database.url },
      ...["--port", "0"],
    );
    expect(stdout).not.toMatch(/^fail/m);
    expect(status).toBe(0);
    const looked = [...stdout.matchAll(/^ok {4}([a-z -]+): /gm)].map(([, check]) => check);
    expect(looked).toEqual(
      expect.arrayContaining(["node", "data-dir", "port", "embedded-postgres", "workspace", "location shop", "schema"]),
    );
  });
});

test("the doctor knows which Node and which clocks will do", () => {
  expect(["20.18.9", "20.19.0", "22.0.0", "18.20.0"].map((version) => nodeFinding(version).status)).toEqual([
    "fail",
    "ok",
    "ok",
    "fail",
  ]);
  expect([0, 1_900, -2_500, 60_000].map((ms) => clockFinding(ms).status)).toEqual(["ok", "ok", "warn", "warn"]);
  expect(clockFinding(-2_500).message).toContain("2500 ms behind");
});
