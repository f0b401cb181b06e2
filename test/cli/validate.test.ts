import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocationFolder } from "../sdk/support/location-folder.ts";
import { HeadgateProcess, runHeadgate } from "../support/headgate-process.ts";
import { markedProcesses, markName } from "../support/process-census.ts";
import { until } from "../support/until.ts";

const module = (name: string) => fileURLToPath(new URL(`../e2e/locations/${name}`, import.meta.url));

describe("headgate validate", () => {
  let folder: string;
  const mark = randomUUID();
  const workspace = (name: string, entries: readonly string[]) => {
    const file = join(folder, name);
    writeFileSync(file, `load_from:\n${entries.map((entry) => `  - ${entry}\n`).join("")}`);
    return file;
  };
  const validate = (...args: readonly string[]) =>
    runHeadgate(["validate", ...args], { cwd: folder, env: { [markName]: mark } });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "headgate-validate-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("names every definition error with file, line and remedy, whatever else is wrong, and leaves no process", async () => {
    const file = workspace("bad.yaml", [
      `module: { path: ${module("north")}, location_name: north }`,
      `module: { path: ${module("north-annex")}, location_name: north-annex, team: north }`,
      `module: { path: ${module("south")}, location_name: south }`,
      "grpc_server: { host: 127.0.0.1, port: 1, location_name: gone }",
      `module: { path: "$\{HEADGATE_NO_SUCH_VARIABLE}", location_name: unset, tem: north }`,
    ]);
    const { status, stdout } = await validate("--workspace", file, "--json");
    const answer = JSON.parse(stdout) as {
      valid: boolean;
      locations: { name: string; loaded: boolean; assets: number }[];
      errors: { key: string; code: string; hint: string; file: string | null; line: number | null }[];
    };
    expect([status, answer.valid]).toEqual([1, false]);
    expect(answer.errors.map(({ key, code }) => `${key} ${code}`).sort()).toEqual([
      "definitions.ts#assets[10] definition.invalid",
      "gone location.unreachable",
      "north/hen definition.cycle",
      "north/lonely definition.missing_upstream",
      "north/misshapen definition.partitions_invalid",
      "north/nosy definition.not_exported",
      "north/shared definition.owned_by_another_location",
      "north/twice definition.duplicate",
      "south/egg definition.cycle",
      "south/stolen definition.other_team",
      "throws.ts definition.module_threw",
      "unset workspace.missing_variable",
      "unset workspace.unknown_key",
    ]);
    expect(answer.errors.filter(({ hint }) => hint === "")).toEqual([]);
    const errorOf = (key: string) => answer.errors.find((error) => error.key === key);
    const lineIn = (path: string, text: string) =>
      1 +
      readFileSync(path, "utf8")
        .split("\n")
        .findIndex((line) => line.includes(text));
    const north = join(module("north"), "definitions.ts");
    expect(errorOf("north/lonely")).toMatchObject({ file: north, line: lineIn(north, "north/lonely") });
    expect(errorOf("unset")).toMatchObject({ file: "bad.yaml", line: 6 });
    expect(answer.locations.map(({ name, loaded, assets }) => [name, loaded, assets > 0])).toEqual([
      ["north", true, true],
      ["north-annex", true, true],
      ["south", true, true],
      ["gone", false, false],
      ["unset", false, false],
    ]);
    expect(markedProcesses(mark)).toEqual([]);
  });

  test("counts what is good, and writes a snapshot that does not depend on where it was made", async () => {
    const file = workspace("good.yaml", [
      `module: { path: ${module("mill")}, location_name: mill }`,
      `module: { path: ${module("lab")}, location_name: lab }`,
    ]);
    const first = await validate("--workspace", file, "--out", "first.json");
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(first.stdout).toMatch(
      /^✓ \d+ assets and \d+ checks of 2 locations are good\.\nThe definitions are in first\.json\.\n$/,
    );
    const written = readFileSync(join(folder, "first.json"), "utf8");
    expect(written).not.toContain(folder);
    expect(JSON.parse(written)).toMatchObject({ format: "headgate.definitions", version: 1 });
  });

  test("ends what it started when it is interrupted, also what hangs while it is imported", async () => {
    const location = new LocationFolder({
      "definitions.ts": `
        setInterval(() => undefined, 1_000);
        await new Promise(() => undefined);
        export default {};
      `,
    });
    try {
      const file = workspace("hanging.yaml", [`module: { path: ${location.path}, location_name: hanging }`]);
      const running = new HeadgateProcess(["validate", "--workspace", file], {
        cwd: folder,
        env: { [markName]: mark },
      });
      await until("the location's process runs", () => markedProcesses(mark).length > 1);
      expect((await running.end("SIGINT")).code).toBe(130);
      expect(markedProcesses(mark)).toEqual([]);
    } finally {
      location.remove();
    }
  });
});
