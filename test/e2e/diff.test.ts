import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { join } from "node:path";
import { LocationFolder } from "../sdk/support/location-folder.ts";
import { type Deployment, writeWorkspace } from "../support/deployment.ts";
import { startDeployment } from "../support/start-deployment.ts";

/* Two branches of a workspace: what `main` runs, and a branch that takes things away from another team. */

const store = (assets: string, checks: string) => `
  import { asset, assetCheck, definitions } from "@headgate/sdk";
  import { json } from "./io.ts";
  ${assets}
  export default definitions({ team: "store", io: json, assets: [orders, stock, ...others], checks: [${checks}] });
`;

const main = store(
  `const orders = asset({ key: "store/orders", export: true, compute: () => 1 });
   const stock = asset({ key: "store/stock", compute: () => 2 });
   const others = [asset({ key: "store/items", export: true, compute: () => 3 })];`,
  `assetCheck({ asset: orders, name: "rows", blocking: true, run: () => ({ passed: true }) }),
   assetCheck({ asset: orders, name: "fresh", blocking: true, run: () => ({ passed: true }) })`,
);
const branch = store(
  `const orders = asset({ key: "store/orders", compute: () => 1 });
   const stock = asset({ key: "store/stock", deps: { orders }, compute: () => 2 });
   const others = [asset({ key: "store/refunds", compute: () => 4 })];`,
  `assetCheck({ asset: orders, name: "rows", run: () => ({ passed: true }) })`,
);
const reports = `
  import { asset, assetSpec, definitions } from "@headgate/sdk";
  import { json } from "./io.ts";
  const orders = assetSpec({ key: "store/orders", export: true });
  const items = assetSpec({ key: "store/items", export: true });
  const sales = asset({ key: "reports/sales", deps: { orders, items }, compute: () => 5 });
  export default definitions({ team: "reports", io: json, assets: [sales] });
`;

describe("headgate diff on two branches", () => {
  const folders = {
    main: new LocationFolder({ "definitions.ts": main }),
    branch: new LocationFolder({ "definitions.ts": branch }),
    reports: new LocationFolder({ "definitions.ts": reports }),
  };
  let headgate: Deployment;

  beforeAll(async () => {
    headgate = await startDeployment("dev", {
      locations: [
        { name: "store", module: folders.main.path },
        { name: "reports", module: folders.reports.path },
      ],
    });
    await Promise.all(["store", "reports"].map((name) => headgate.healthy(name)));
    const entry = (name: string, folder: LocationFolder) => `module: { path: ${folder.path}, location_name: ${name} }`;
    const workspace = (file: string, entries: string[]) => writeWorkspace(join(headgate.folder, file), [], entries);
    workspace("main.yaml", [entry("store", folders.main), entry("reports", folders.reports)]);
    workspace("branch.yaml", [entry("store", folders.branch), entry("reports", folders.reports)]);
    workspace("alone.yaml", [entry("store", folders.branch)]);
  });

  afterAll(async () => {
    await (headgate as Deployment | undefined)?.stop();
    for (const folder of Object.values(folders)) folder.remove();
  });

  const sales = { kind: "asset", key: "reports/sales", team: "reports" };

  test("names what is added, removed and changed, who loses an export, and which checks are weakened", async () => {
    const snapshot = await headgate.cli("validate", "--workspace", "main.yaml", "--out", "main.json");
    expect(snapshot).toMatchObject({ status: 0 });
    const against = ["diff", "--workspace", "branch.yaml", "--exit-code", "--json", "--against"];
    const [live, file] = await Promise.all([
      headgate.cli(...against, headgate.url),
      headgate.cli(...against, "main.json"),
    ]);
    const found = JSON.parse(live.stdout) as object;
    expect(live.status).toBe(1);
    expect(found).toMatchObject({
      safe: false,
      added: [{ key: "store/refunds" }],
      removed: [{ key: "store/items", team: "store", consumers: [sales] }],
      unexported: [{ key: "store/orders", before: "every team", after: "no other team", consumers: [sales] }],
      changed: [
        { key: "store/orders" },
        { key: "store/stock", changes: [{ aspect: "code" }, { text: 'reads store/orders as "orders" (strict)' }] },
      ],
      refused: [],
      checks: {
        removed: [{ asset: "store/orders", team: "store", name: "fresh", blocking: true }],
        weakened: [{ name: "rows", texts: ["blocking → not blocking"] }],
        added: [],
        strengthened: [],
      },
    });
    // The same from a file as from the control plane.
    expect({ ...(JSON.parse(file.stdout) as object), against: headgate.url }).toEqual(found);
    expect(file.status).toBe(1);
  });

  test("finds the same when one team alone is checked out, and ends with 0 unless it is to judge", async () => {
    const { status, stdout } = await headgate.cli(
      ...["diff", "--against", headgate.url, "--workspace", "alone.yaml", "--location", "store"],
    );
    expect(status).toBe(0);
    expect(stdout).toContain("Removed assets\n  store/items, still used by reports/sales of team reports\n");
    expect(stdout).toContain(
      "No longer exported\n  store/orders: to every team → to no other team, used by reports/sales of team reports\n",
    );
    expect(stdout).toContain("Weakened checks\n  store/orders@store:rows: blocking → not blocking\n");
  });

  test("finds nothing between what runs and what it runs from", async () => {
    const { status, stdout } = await headgate.cli(
      ...["diff", "--against", headgate.url, "--workspace", "main.yaml", "--exit-code"],
    );
    expect([status, stdout]).toEqual([0, `Against ${headgate.url}: Nothing changes.\n`]);
  });

  test("takes what it cannot read for no definitions: it refuses", async () => {
    for (const args of [
      ["--against", "no-such.json", "--workspace", "main.yaml"],
      ["--against", "main.yaml", "--workspace", "main.yaml"],
      ["--against", "main.json", "--workspace", "no-such.yaml"],
      ["--against", "main.json", "--workspace", "main.yaml", "--location", "shop"],
    ]) {
      expect((await headgate.cli("diff", ...args, "--exit-code")).status, args.join(" ")).toBe(2);
    }
  });
});
