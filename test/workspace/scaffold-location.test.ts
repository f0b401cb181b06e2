import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rootPackage } from "../../control-plane/src/scaffold/root-package.ts";
import { type ScaffoldOptions, scaffoldLocation } from "../../control-plane/src/scaffold/scaffold-location.ts";
import { readWorkspace } from "../../control-plane/src/workspace/read-workspace.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "headgate-new-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (path: string) => join(folder, path);
const read = (path: string) => readFileSync(at(path), "utf8");
const json = (path: string) => JSON.parse(read(path));

function scaffold(options: Partial<ScaffoldOptions> = {}) {
  const { locationName = "orders" } = options;
  return scaffoldLocation({
    locationName,
    team: locationName,
    workspace: at("workspace.yaml"),
    version: "1.2.3",
    env: {},
    ...options,
  });
}

test("in an empty folder everything is made that headgate and npm need", async () => {
  const { made, changed, folder: location } = await scaffold();
  expect(location).toBe("code-locations/orders");
  expect(changed).toEqual([]);
  expect(made).toEqual(expect.arrayContaining([".gitignore", "package.json", "workspace.yaml"]));
  expect(json("package.json")).toMatchObject({
    private: true,
    workspaces: ["code-locations/*"],
    scripts: { test: "vitest run" },
    dependencies: { headgate: "1.2.3" },
  });
  expect(json("code-locations/orders/package.json").dependencies).toEqual({
    "@headgate/connections": "1.2.3",
    "@headgate/sdk": "1.2.3",
  });
  const { entries, problems } = await readWorkspace(at("workspace.yaml"), {});
  expect(problems).toEqual([]);
  expect(entries).toMatchObject([{ kind: "module", locationName: "orders", path: at("code-locations/orders") }]);
  expect(readdirSync(folder).sort()).toEqual([".gitignore", "code-locations", "package.json", "workspace.yaml"]);
});

test("an image is made of the tarballs that package.json names, if they lie below it", async () => {
  const dependencies = {
    headgate: "file:packages/headgate-1.tgz",
    "@headgate/sdk": "file:./packages/sdk.tgz",
    a: "1.0.0",
  };
  writeFileSync(at("package.json"), JSON.stringify({ dependencies, devDependencies: { b: "file:../b.tgz" } }));
  await scaffold();
  expect(
    read("code-locations/orders/Dockerfile")
      .match(/^COPY .*/gm)
      ?.slice(0, 3),
  ).toEqual([
    "COPY package.json package-lock.json ./",
    "COPY packages packages",
    "COPY code-locations/orders/package.json code-locations/orders/",
  ]);
});

test("a second location leaves the first and what is around it alone, but for its entry", async () => {
  await scaffold();
  const before = read("workspace.yaml");
  const { made, changed } = await scaffold({ locationName: "billing", team: "finance" });
  expect(changed).toEqual(["workspace.yaml"]);
  expect(made.every((file) => file.startsWith("code-locations/billing/"))).toBe(true);
  const entry = "  - module: { path: code-locations/billing, location_name: billing, team: finance }\n";
  expect(read("workspace.yaml")).toBe(`${before}${entry}`);
  expect(read("code-locations/billing/definitions.ts")).toContain('key: "finance/sales"');
});

describe("nothing is written", () => {
  const refusal = async (options: Partial<ScaffoldOptions>) => {
    const before = readdirSync(folder, { recursive: true }).sort();
    const error: unknown = await scaffold(options).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
    return error as Error & { code?: string };
  };

  test("where a location of that name is, as a folder or as an entry", async () => {
    await scaffold();
    expect(await refusal({})).toMatchObject({ code: "new.exists" });
    rmSync(at("code-locations/orders"), { recursive: true });
    const { code, message } = await refusal({});
    expect(code).toBe("new.exists");
    expect(message).toContain("workspace.yaml:3");
  });

  test("for a name that is none", async () => {
    for (const locationName of ["Orders", "../orders", "-o", "", "a".repeat(64)]) {
      expect(await refusal({ locationName, team: "orders" })).toMatchObject({ code: "new.bad_name" });
    }
    expect(await refusal({ team: "No" })).toMatchObject({ code: "new.bad_name" });
  });

  test("beside a workspace.yaml or a package.json that cannot be read", async () => {
    writeFileSync(at("workspace.yaml"), "load_from: [\n");
    expect(await refusal({})).toMatchObject({ code: "new.workspace_unreadable" });
    writeFileSync(at("workspace.yaml"), "{ load_from: [] }\n");
    expect(await refusal({})).toMatchObject({ code: "new.no_place" });
    rmSync(at("workspace.yaml"));
    writeFileSync(at("package.json"), "{");
    expect(await refusal({})).toMatchObject({ code: "new.package_unreadable" });
  });
});

test("a package.json that is there keeps what it has, and its indentation", () => {
  const at = { root: "/r", folder: "code-locations/orders", version: "1.2.3" };
  const amended = (text: string) => rootPackage(text, "package.json", at);
  const whole = {
    workspaces: ["packages/a", "code-locations/*"],
    scripts: { test: "mine" },
    dependencies: { headgate: "file:x.tgz" },
  };
  const text = `${JSON.stringify(whole, null, 4)}\n`;
  expect(amended(text)).toBe(text);
  const init = '{ "workspaces": { "packages": ["p"] }, "scripts": { "test": "echo \\"Error: no test specified\\"" } }';
  expect(JSON.parse(amended(init))).toEqual({
    workspaces: { packages: ["p", "code-locations/orders"] },
    scripts: { test: "vitest run" },
    dependencies: { headgate: "1.2.3" },
  });
});

test("a new location is tested with what this repository is tested with", async () => {
  await scaffold();
  const root = fileURLToPath(new URL("../../package.json", import.meta.url));
  const { devDependencies: ours } = JSON.parse(readFileSync(root, "utf8"));
  const { devDependencies: theirs } = json("code-locations/orders/package.json");
  expect(theirs).toMatchObject({ typescript: ours.typescript, vitest: ours.vitest });
});
