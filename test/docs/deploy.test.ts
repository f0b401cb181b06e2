import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseTokens } from "../../control-plane/src/http/tokens.ts";
import { parseWorkspace } from "../../control-plane/src/workspace/parse-workspace.ts";
import { hasOpenssl } from "../support/certificates.ts";
import { DocumentedDeployment } from "./documented-deployment.ts";
import { fencedBlocks } from "./fenced-blocks.ts";

/*
 * Holds what docs/deploy has against itself and against docs/how-to/deploy.md: no daemon of Docker runs here. That the
 * location's own commands work is shown by quickstart.test.ts.
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
const deploy = join(root, "docs/deploy");
const read = (file: string) => readFileSync(join(deploy, file), "utf8");

interface Service {
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly networks?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
}

const compose = parse(read("compose.yaml"), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const services = Object.entries(compose.services);
const locations = services.filter(([, { environment }]) => environment?.["HEADGATE_LOCATION_TOKEN"] !== undefined);

describe("compose.yaml", () => {
  test("hardens every container of ours, and names only networks, volumes and services that are there", () => {
    for (const [name, service] of services) {
      expect(Object.keys(compose.networks), name).toEqual(expect.arrayContaining([...(service.networks ?? [])]));
      expect(Object.keys(compose.services), name).toEqual(
        expect.arrayContaining(Object.keys(service.depends_on ?? {})),
      );
      const volumes = (service.volumes ?? []).map((volume) => volume.split(":")[0] ?? "");
      for (const volume of volumes) {
        if (volume.startsWith("./")) expect(statSync(join(deploy, volume)).isDirectory(), volume).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(volume);
      }
      if (service.build === undefined) continue;
      expect(service, name).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
    }
    for (const [name, { networks }] of locations) expect(networks, name).toEqual(["locations"]);
  });

  test("builds images from Dockerfiles that are there and run as no root", () => {
    for (const { build } of services.flatMap(([, service]) => (service.build === undefined ? [] : [service]))) {
      const location = /^code-locations\/[a-z]+\/Dockerfile$/.test(build?.dockerfile ?? "");
      const file = location
        ? join(root, "control-plane/templates/location/Dockerfile.tmpl")
        : join(root, "docs", build?.dockerfile ?? "");
      expect(readFileSync(file, "utf8").split("FROM ").at(-1), build?.dockerfile).toMatch(/^USER node$/m);
    }
  });

  test("gives each location the token that the workspace has for it", () => {
    const daemon = compose.services["daemon"];
    const { entries, problems } = parseWorkspace(read("headgate/workspace.yaml"), "w.yaml", daemon?.environment ?? {});
    expect(problems).toEqual([]);
    expect(entries).toHaveLength(locations.length);
    for (const entry of entries) {
      if (entry.kind !== "grpcServer") throw new Error(`${entry.locationName} is not deployed`);
      const given = compose.services[entry.host]?.environment?.["HEADGATE_LOCATION_TOKEN"];
      expect(given).toBe(daemon?.environment?.[entry.tokenEnv ?? ""]);
      expect(entry.port).toBe(4_000);
    }
  });

  test("runs commands that the command line has", () => {
    const headgate = join(root, "control-plane/bin/headgate.mjs");
    for (const [, { command }] of services.filter(([, service]) => service.command !== undefined)) {
      const said = execFileSync(process.execPath, [headgate, command?.[0] ?? "", "--help"], { encoding: "utf8" });
      for (const option of command?.filter((word) => word.startsWith("--")) ?? []) expect(said).toContain(option);
    }
  });
});

describe.skipIf(!hasOpenssl)("docs/how-to/deploy.md", () => {
  const reader = new DocumentedDeployment({ empty: true });
  afterAll(() => reader.stop());

  test("makes every secret that compose.yaml asks for, readable for nobody else", async () => {
    const document = "docs/how-to/deploy.md";
    cpSync(deploy, join(reader.folder, "deploy"), { recursive: true });
    const blocks = fencedBlocks(readFileSync(join(root, document), "utf8"), document);
    for (const block of blocks.filter(({ marks }) => marks.has("run"))) await reader.carryOut(block, undefined);
    const env = new Map(
      reader
        .read("deploy/.env")
        .trim()
        .split("\n")
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const asked = new Set([...read("compose.yaml").matchAll(/\$\{(\w+):\?\}/g)].map(([, name]) => name));
    expect([...env.keys()].sort()).toEqual([...asked].sort());
    for (const name of ["POSTGRES_PASSWORD", "ORDERS_TOKEN", "BILLING_TOKEN"]) {
      expect(env.get(name)).toMatch(/^[0-9a-f]{32,64}$/);
    }
    expect(parseTokens(env.get("HEADGATE_TOKENS") ?? "")).toHaveLength(1);
    expect(statSync(join(reader.folder, "deploy/.env")).mode & 0o077).toBe(0);
  });
});

describe("the units of systemd", () => {
  const units = readdirSync(join(deploy, "systemd"));
  const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0 && existsSync("/usr/bin/node");

  test("restart what ends, give it time to end, and let it gain nothing", () => {
    expect(units).toEqual(["headgate-api.service", "headgate-daemon.service", "headgate-location@.service"]);
    for (const unit of units) {
      const text = read(`systemd/${unit}`);
      for (const line of ["Restart=always", "TimeoutStopSec=40", "NoNewPrivileges=yes", "ProtectSystem=strict"]) {
        expect(text.split("\n"), unit).toContain(line);
      }
      expect(text, unit).toMatch(/^User=headgate/m);
    }
  });

  test.skipIf(!hasAnalyze)("are what systemd-analyze verifies", () => {
    const files = units.map((unit) => join(deploy, "systemd", unit));
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", ...files], { encoding: "utf8" });
    expect(stdout + stderr).toBe("");
    expect(status).toBe(0);
  });
});
