import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { DocumentedDeployment } from "./documented-deployment.ts";
import { fencedBlocks } from "./fenced-blocks.ts";

/*
 * Follows docs/quickstart.md from the packed packages, in an empty folder that knows nothing of this repository. The
 * blocks are marked as in readme.test.ts; `sh pack` is what makes the packages, and is done before.
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
const document = "docs/quickstart.md";
const blocks = fencedBlocks(readFileSync(join(root, document), "utf8"), document);
const isStep = (language: string, marks: ReadonlyMap<string, string>) =>
  language === "diff" || marks.has("run") || marks.has("start");

describe("The quickstart, from packed packages in an empty folder", () => {
  const reader = new DocumentedDeployment({ empty: true });
  const packages = join(reader.folder, "packages");

  beforeAll(() => {
    const shown = blocks.find(({ marks }) => marks.has("pack"))?.text;
    expect(shown).toBe("npm ci && npm run pack -- /tmp/headgate-quickstart/packages");
    execFileSync("npm", ["run", "pack", "--", packages], { cwd: root, stdio: "pipe" });
  });
  afterAll(() => reader.stop(), 30_000);

  test("does what it says, block by block", { timeout: 240_000 }, async () => {
    const steps = blocks.filter(({ language, marks }) => isStep(language, marks));
    expect(steps.length).toBeGreaterThan(10);
    for (const block of steps) {
      const next = blocks[blocks.indexOf(block) + 1];
      await reader.carryOut(block, next?.marks.has("output") === true ? next : undefined);
    }
  });

  test(
    "shows types to both ways of resolving modules, with no library's types skipped",
    { timeout: 60_000 },
    async () => {
      reader.write(
        "consumer.ts",
        `import { duckdb, openDatabase, sql, values } from "@headgate/connections";
import { asset, dailyPartitions } from "@headgate/sdk";
import { checkHealth, serve } from "@headgate/sdk/serve";
import { materialize, testContext } from "@headgate/sdk/testing";

const daily = dailyPartitions({ start: "2026-01-01", timezone: "UTC" });
const rows = asset({ key: "a/rows", partitions: daily, compute: (_, { partition }) => [{ day: partition.key, cents: 1 }] });
asset({ key: "a/sum", partitions: daily, deps: { rows }, compute: ({ rows }) => rows.reduce((sum, row) => sum + row.cents, 0) });
// @ts-expect-error: what upstream returns has no euros
asset({ key: "a/wrong", partitions: daily, deps: { rows }, compute: ({ rows }) => rows.map((row) => row.euros) });
export { checkHealth, duckdb, materialize, openDatabase, serve, sql, testContext, values };
`,
      );
      const strict =
        "--noEmit --strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --target es2023 --lib es2023";
      const ways = ["--module nodenext", "--module esnext --moduleResolution bundler"];
      const checked = ways.map((way) => reader.shell(`npx tsc ${strict} --ignoreConfig ${way} consumer.ts`));
      for (const { status, stdout } of await Promise.all(checked)) {
        expect(stdout).toBe("");
        expect(status).toBe(0);
      }
    },
  );

  test("makes a location that serves as in its image, and whose health check tells", { timeout: 60_000 }, async () => {
    const health = "node code-locations/orders/health.mjs";
    const port = await freePort();
    expect((await reader.shell(`PORT=${port} ${health}`)).status).toBe(1);
    const served = `PORT=${port} node code-locations/orders/serve.mjs & location=$!`;
    const healthy = `until PORT=${port} ${health} || ! kill -0 $location; do :; done; kill $location; wait $location`;
    expect(await reader.shell(`${served}; ${healthy}`)).toMatchObject({ status: 0, stderr: "" });
    expect(reader.read("code-locations/orders/Dockerfile")).toContain("COPY packages packages\n");
  });

  test("holds nothing but what is needed, and no script that npm would run", () => {
    expect(readdirSync(packages).map((name) => name.replace(/-\d.*$/, ""))).toEqual([
      "headgate",
      "headgate-connections",
      "headgate-layout",
      "headgate-model",
      "headgate-proto",
      "headgate-sdk",
    ]);
    for (const file of readdirSync(packages)) {
      const tar = (...options: string[]) =>
        execFileSync("tar", [...options, join(packages, file)], { encoding: "utf8" });
      const names = tar("-tzf")
        .trim()
        .split("\n")
        .map((name) => name.replace("package/", ""));
      expect(names).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
      expect(names.filter((name) => /(^|\/)(src|node_modules)\/|(?<!\.d)\.ts$|\.map$/.test(name))).toEqual([]);
      const manifest = JSON.parse(
        execFileSync("tar", ["-xzOf", join(packages, file), "package/package.json"], { encoding: "utf8" }),
      );
      expect(manifest).toMatchObject({ license: "Apache-2.0", engines: { node: ">=20.19" } });
      expect(manifest).not.toHaveProperty("private");
      expect(manifest).not.toHaveProperty("scripts");
    }
  });
});
