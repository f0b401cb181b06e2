import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readWorkspace } from "../../control-plane/src/workspace/read-workspace.ts";
import { watchWorkspace, type WorkspaceWatch } from "../../control-plane/src/workspace/watch-workspace.ts";
import type { Workspace } from "../../control-plane/src/workspace/workspace.ts";

let folder: string;
let file: string;
let watch: WorkspaceWatch | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "headgate-workspace-"));
  file = join(folder, "workspace.yaml");
});
afterEach(async () => {
  watch?.close();
  await rm(folder, { recursive: true });
});

const server = (name: string) => `load_from:\n  - grpc_server: { host: h, port: 1, location_name: ${name} }\n`;

/** What the watch says, one after another. */
function changes() {
  const seen: Workspace[] = [];
  let wake: () => void = () => undefined;
  watch = watchWorkspace(file, (workspace) => {
    seen.push(workspace);
    wake();
  });
  return async (): Promise<Workspace> => {
    for (;;) {
      const next = seen.shift();
      if (next !== undefined) return next;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
}

describe("readWorkspace", () => {
  it("reports a file that is not there instead of throwing", async () => {
    expect(await readWorkspace(file)).toMatchObject({
      readable: false,
      problems: [{ code: "workspace.not_found", file, message: "there is no such file" }],
    });
  });

  it("reports on its own entry a module, env file or certificate that is not there", async () => {
    await mkdir(join(folder, "here"));
    await writeFile(
      file,
      `load_from:
  - module: { path: here, location_name: good }
  - module: { path: gone, location_name: no-module }
  - module: { path: here, env_file: .env, location_name: no-env }
  - grpc_server: { host: h, port: 1, tls: { ca: ca.pem }, location_name: no-ca }
`,
    );
    const workspace = await readWorkspace(file);
    expect(workspace.entries.map(({ locationName }) => locationName)).toEqual(["good"]);
    expect(workspace.problems.map(({ line, message, locationName }) => [line, locationName, message])).toEqual([
      [3, "no-module", `no-module: path: there is no ${join(folder, "gone")}`],
      [4, "no-env", `no-env: env_file: there is no ${join(folder, ".env")}`],
      [5, "no-ca", `no-ca: tls: ca: there is no ${join(folder, "ca.pem")}`],
    ]);
  });
});

describe("watchWorkspace", () => {
  it("tells of a write, of a file put in its place, of its absence and of its return", async () => {
    await writeFile(file, server("one"));
    const next = changes();
    expect((await next()).entries).toMatchObject([{ locationName: "one" }]);
    await writeFile(file, server("two"));
    expect((await next()).entries).toMatchObject([{ locationName: "two" }]);
    await writeFile(`${file}.draft`, server("three"));
    await rename(`${file}.draft`, file);
    expect((await next()).entries).toMatchObject([{ locationName: "three" }]);
    await rm(file);
    expect(await next()).toMatchObject({ readable: false, problems: [{ code: "workspace.not_found" }] });
    await writeFile(file, server("four"));
    expect((await next()).entries).toMatchObject([{ locationName: "four" }]);
  });

  it("says nothing of a write that changes nothing", async () => {
    await writeFile(file, server("one"));
    const next = changes();
    await next();
    await writeFile(file, server("one"));
    await writeFile(join(folder, "other.yaml"), "x");
    await writeFile(file, server("two"));
    expect((await next()).entries).toMatchObject([{ locationName: "two" }]);
  });

  it("tells of a change of an env file or certificate that it names, wherever it lies, and of no other file there", async () => {
    const secrets = await mkdtemp(join(tmpdir(), "headgate-secrets-"));
    try {
      await writeFile(join(secrets, ".env"), "LEVEL=1");
      await mkdir(join(folder, "shop"));
      await writeFile(
        file,
        `load_from:\n  - module: { path: shop, location_name: shop, env_file: ${join(secrets, ".env")} }\n` +
          "  - grpc_server: { host: h, port: 1, location_name: far, tls: { ca: ca.pem } }\n",
      );
      const next = changes();
      expect((await next()).problems).toMatchObject([{ locationName: "far", code: "workspace.missing_file" }]);
      await writeFile(join(folder, "ca.pem"), "first");
      expect((await next()).problems).toEqual([]);
      await writeFile(join(secrets, "other"), "x");
      await writeFile(join(secrets, ".env"), "LEVEL=2");
      expect((await next()).entries).toMatchObject([{ locationName: "shop" }, { locationName: "far" }]);
      await rm(join(secrets, ".env"));
      expect((await next()).problems).toMatchObject([{ locationName: "shop", code: "workspace.missing_file" }]);
    } finally {
      await rm(secrets, { recursive: true });
    }
  });
});
