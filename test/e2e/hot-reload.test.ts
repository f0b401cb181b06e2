import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocationFolder } from "../sdk/support/location-folder.ts";
import { writeWorkspace } from "../support/deployment.ts";
import { DevDeployment } from "../support/dev-deployment.ts";
import { until } from "../support/until.ts";

/* "A save in a running dev is live within a second; a broken save keeps the last good definitions and prints file and
 * line; running attempts finish on the code they started with." */

const definitions = (more = "", assets: readonly string[] = []) => `
  import { existsSync } from "node:fs";
  import { asset, definitions } from "@headgate/sdk";
  const slow = asset({
    key: "shop/slow",
    compute: async () => {
      while (!existsSync(process.env.GO_FILE)) await new Promise((resolve) => setTimeout(resolve, 20));
      console.log("level " + process.env.LEVEL);
    },
  });
  ${more}
  export default definitions({ team: "shop", assets: [${["slow", ...assets].join(", ")}] });
`;
const lonely = `
  import { assetSpec } from "@headgate/sdk";
  const lonely = asset({ key: "shop/lonely", deps: { nobody: assetSpec({ key: "farm/nobody" }) }, compute: () => 1 });
`;

describe("a save under a running dev", () => {
  const shop = new LocationFolder({ "definitions.ts": definitions(lonely, ["lonely"]) });
  let headgate: DevDeployment;
  const goFile = join(shop.path, "values", "go");

  beforeAll(async () => {
    headgate = await DevDeployment.create({ locations: [{ name: "shop", module: shop.path }] });
  });
  afterAll(async () => {
    await (headgate as DevDeployment | undefined)?.stop();
    shop.remove();
  });

  const saves = () =>
    [...headgate.describe().matchAll(/● shop: .*: (\+\d+ −\d+ ~\d+) assets, live (\d+) ms after the save/g)].map(
      ([, change, ms]) => ({ change, ms: Number(ms) }),
    );

  test("dev --once ends with 2 where a definition is refused and nothing worse happened, and names it", async () => {
    const { status, stdout } = await headgate.once();
    expect(stdout).toContain("Refused definitions:\n  shop: shop/lonely: ");
    expect(status).toBe(2);
  });

  test("of an env file reaches new steps, while a step that runs ends on what it started with", async () => {
    shop.write({ "definitions.ts": definitions(), ".env": "LEVEL=1\n" });
    await headgate.start();
    const first = await headgate.healthy("shop");
    const entry = `env: { GO_FILE: ${goFile} }, env_file: ${join(shop.path, ".env")}`;
    writeWorkspace(headgate.workspaceFile, [], [`module: { path: ${shop.path}, location_name: shop, ${entry} }`]);
    const before = await headgate.healthy("shop", first.pid ?? 0);
    const logOf = async (run: string) =>
      (await headgate.api.list("listRunLogs", `/runs/${run}/logs`)).map(({ text }) => text).join("");
    const run = await headgate.launch("shop/slow");
    await headgate.until("the step runs", async () => {
      const [step] = await headgate.steps(run.id);
      return step?.state === "started";
    });
    shop.write({ ".env": "LEVEL=2\n" });
    await until("the location is told to end", () => headgate.describe().includes("it ends what it runs"), 20_000);
    writeFileSync(goFile, "");
    expect((await headgate.ended(run.id)).state).toBe("succeeded");
    expect(await logOf(run.id)).toContain("level 1");
    await headgate.healthy("shop", before.pid ?? 0);
    const after = await headgate.launch("shop/slow");
    expect((await headgate.ended(after.id)).state).toBe("succeeded");
    expect(await logOf(after.id)).toContain("level 2");
  });

  test("is told in one line, with what it changed and when it was live", async () => {
    const told = saves().length;
    shop.write({
      "definitions.ts": definitions('const extra = asset({ key: "shop/extra", compute: () => undefined });', ["extra"]),
    });
    await until("the save is told", () => saves().length > told, 20_000);
    const [save] = saves().slice(-1);
    expect(save?.change).toMatch(/^\+1 −0 ~[01]$/);
    // "within a second" on a machine that does nothing else.
    expect(save?.ms).toBeLessThan(5_000);
    expect((await headgate.api.get("getGraph", "/graph")).assets.map(({ key }) => key)).toContain("shop/extra");
  });

  test("that changes no definition is told too, and what is not part of the code is not", async () => {
    const unchanged = () => headgate.describe().match(/● shop: reloaded, no definition changed, live \d+ ms/g) ?? [];
    const before = unchanged().length;
    shop.write({ "notes.txt": "nothing that is imported\n" });
    const text = readFileSync(join(shop.path, "definitions.ts"), "utf8");
    shop.write({ "definitions.ts": text });
    await until("the save is told", () => unchanged().length > before, 20_000);
    // One save is one line, and what was written before it brought none.
    const later = definitions(
      `const extra = asset({ key: "shop/extra", compute: () => undefined });
const later = asset({ key: "shop/later", compute: () => undefined });`,
      ["extra", "later"],
    );
    const told = saves().length;
    shop.write({ "notes.txt": "nor is this\n", "definitions.ts": later });
    await until("the next save is told", () => saves().length > told, 20_000);
    expect(unchanged()).toHaveLength(before + 1);
  });

  test("that is broken keeps what was loaded last good, and is printed with file and line", async () => {
    shop.write({ "definitions.ts": `${definitions()}\n\nexport const = 1;\n` });
    const line = definitions().split("\n").length + 2;
    await until("the mistake is printed", () => headgate.describe().includes(`definitions.ts:${line}`), 20_000);
    const run = await headgate.launch("shop/extra");
    expect((await headgate.ended(run.id)).state).toBe("succeeded");
  });
});
