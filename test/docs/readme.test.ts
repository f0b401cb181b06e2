import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { typeProblems } from "../support/type-expectations.ts";
import { startBareLocation } from "../support/bare-location.ts";
import { DocumentedDeployment } from "./documented-deployment.ts";
import { type FencedBlock, fencedBlocks, placeOf } from "./fenced-blocks.ts";
import { moduleOf } from "./module-of.ts";
import { outputProblem } from "./shown-output.ts";

/*
 * Runs what README.md and docs/ show. The info string of a block says what is to be done with it:
 *
 * - `sh start`: starts Headgate for the blocks that follow.
 * - `sh run`: runs each line; `exit=3,0` when a line ends with another status than 0; `eventually` when the reader would
 *   look again until it is so.
 * - `text output`: what the block above printed. "…" stands for any lines.
 * - `diff edit=FILE`: changes a file, and waits until its location is reloaded.
 * - `ts file=FILE`: type-checked, and written to that file.
 * - `ts check`: type-checked; all of one document are one module.
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string) => readFileSync(join(root, file), "utf8");
const blocksOf = (file: string) => fencedBlocks(read(file), file);
const documents = ["README.md", "CONTRIBUTING.md", ...markdownBelow("docs")];

function markdownBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`)
    .sort();
}

const isStep = ({ language, marks }: FencedBlock) =>
  marks.has("run") || marks.has("start") || language === "diff" || (language === "ts" && marks.has("file"));

describe("README.md", () => {
  const headgate = new DocumentedDeployment();
  afterAll(() => headgate.stop(), 30_000);

  test("does what it says, block by block", { timeout: 240_000 }, async () => {
    const blocks = blocksOf("README.md");
    const steps = blocks.filter(isStep);
    expect(steps.length).toBeGreaterThan(10);
    for (const block of steps) {
      const next = blocks[blocks.indexOf(block) + 1];
      await headgate.carryOut(block, next?.marks.has("output") === true ? next : undefined);
    }
  });

  test("an asset of one's own is blocked when its upstream fails its check", { timeout: 60_000 }, async () => {
    const file = "code-locations/weather/definitions.ts";
    await headgate.change(file, "celsius: 31 ", "celsius: 131 ");
    const { status, stdout } = await headgate.shell("npx headgate materialize 'weather/*'");
    expect(status, stdout).toBe(3);
    expect(stdout).toMatch(/\nBlocked\n {2}weather\/count\n {4}weather\/readings: check plausible failed\n/);
  });

  test("the worked example of the protocol is loaded and run", { timeout: 60_000 }, async () => {
    const bare = await startBareLocation();
    try {
      const entry = /^ {2}- grpc_server: .*location_name: bare.*$/m.exec(read("docs/protocol.md"))?.[0] ?? "";
      headgate.append("workspace.yaml", entry.replace(/port: \d+/, `port: ${bare.port}`));
      await headgate.located("bare");
      const { status, stdout } = await headgate.shell("npx headgate materialize 'bare/*'");
      expect(status, stdout).toBe(0);
      expect(stdout).toContain("2 succeeded");
    } finally {
      await bare.close();
    }
  });

  test("the tour of the SDK loads as a code location, without a problem", { timeout: 60_000 }, async () => {
    const tour = blocksOf("docs/sdk.md").filter(({ marks }) => marks.has("check"));
    headgate.write("code-locations/orders/definitions.ts", moduleOf(tour));
    const env = "env: { WAREHOUSE_URL: none }";
    headgate.append("workspace.yaml", `  - module: { path: code-locations/orders, location_name: orders, ${env} }`);
    const location = await headgate.located("orders");
    expect(location.problems).toEqual([]);
  });

  test("the how-to about partitions is loaded and does what it shows", { timeout: 120_000 }, async () => {
    const blocks = blocksOf("docs/how-to/partitions.md");
    const code = moduleOf(blocks.filter(({ marks }) => marks.has("check")));
    headgate.write("code-locations/ledger/definitions.ts", code);
    headgate.append("workspace.yaml", "  - module: { path: code-locations/ledger, location_name: ledger }");
    expect((await headgate.located("ledger")).problems).toEqual([]);
    for (const block of blocks.filter(isStep)) {
      const next = blocks[blocks.indexOf(block) + 1];
      await headgate.carryOut(block, next?.marks.has("output") === true ? next : undefined);
    }
  });

  test("the how-to about pools and the run queue is loaded and does what it shows", { timeout: 120_000 }, async () => {
    const blocks = blocksOf("docs/how-to/queue-and-pools.md");
    headgate.write("code-locations/loads/definitions.ts", moduleOf(blocks.filter(({ marks }) => marks.has("check"))));
    headgate.append("workspace.yaml", "  - module: { path: code-locations/loads, location_name: loads }");
    expect((await headgate.located("loads")).problems).toEqual([]);
    for (const block of blocks.filter(isStep)) {
      const next = blocks[blocks.indexOf(block) + 1];
      await headgate.carryOut(block, next?.marks.has("output") === true ? next : undefined);
    }
  });

  test("the how-to about automation is loaded and does what it shows", { timeout: 120_000 }, async () => {
    const blocks = blocksOf("docs/how-to/automation.md");
    headgate.write("code-locations/kiosk/definitions.ts", moduleOf(blocks.filter(({ marks }) => marks.has("check"))));
    headgate.append("workspace.yaml", "  - module: { path: code-locations/kiosk, location_name: kiosk }");
    expect((await headgate.located("kiosk")).problems).toEqual([]);
    for (const block of blocks.filter(isStep)) {
      const next = blocks[blocks.indexOf(block) + 1];
      await headgate.carryOut(block, next?.marks.has("output") === true ? next : undefined);
    }
  });

  test("the how-to about schedules is loaded and does what it shows", { timeout: 120_000 }, async () => {
    const blocks = blocksOf("docs/how-to/schedules.md");
    headgate.write("code-locations/depot/definitions.ts", moduleOf(blocks.filter(({ marks }) => marks.has("check"))));
    headgate.append("workspace.yaml", "  - module: { path: code-locations/depot, location_name: depot }");
    expect((await headgate.located("depot")).problems).toEqual([]);
    for (const block of blocks.filter(isStep)) {
      const next = blocks[blocks.indexOf(block) + 1];
      await headgate.carryOut(block, next?.marks.has("output") === true ? next : undefined);
    }
  });

  test("the how-to about sensors is loaded and does what it shows", { timeout: 120_000 }, async () => {
    const blocks = blocksOf("docs/how-to/sensors.md");
    headgate.write("code-locations/intake/definitions.ts", moduleOf(blocks.filter(({ marks }) => marks.has("check"))));
    headgate.append("workspace.yaml", "  - module: { path: code-locations/intake, location_name: intake }");
    expect((await headgate.located("intake")).problems).toEqual([]);
    for (const block of blocks.filter(isStep)) {
      const next = blocks[blocks.indexOf(block) + 1];
      await headgate.carryOut(block, next?.marks.has("output") === true ? next : undefined);
    }
  });

  test("the how-to about contracts does what it shows, in both teams", { timeout: 120_000 }, async () => {
    const blocks = blocksOf("docs/how-to/contract-between-teams.md");
    const steps = blocks.filter(isStep);
    expect(steps.length).toBeGreaterThan(8);
    for (const block of steps) {
      const next = blocks[blocks.indexOf(block) + 1];
      await headgate.carryOut(block, next?.marks.has("output") === true ? next : undefined);
    }
  });

  test("names the test command that CI runs", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const commands = blocksOf("README.md").map(({ text }) => text);
    expect(commands).toContain("npm ci && npm test");
    expect(scripts["verify"]).toMatch(/&& npm test$/);
    expect(read(".ci/run")).toMatch(/^npm ci .*\n[^]*^npm run verify$/m);
  });
});

describe("The documents", () => {
  test("show TypeScript that compiles", { timeout: 60_000 }, () => {
    const files = new Map<string, string>();
    for (const document of documents) {
      const checked = blocksOf(document).filter(({ language }) => language === "ts");
      for (const block of checked.filter(({ marks }) => marks.has("file"))) {
        files.set(join(root, block.marks.get("file") ?? ""), moduleOf([block]));
      }
      const together = checked.filter(({ marks }) => marks.has("check"));
      if (together.length > 0) files.set(join(root, `${document}.ts`), moduleOf(together));
    }
    expect(files.size).toBeGreaterThan(1);
    expect(typeProblems(files)).toEqual([]);
  });

  test("link to what is there", () => {
    const dead: string[] = [];
    for (const document of documents) {
      for (const [, target = ""] of withoutBlocks(read(document)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = "", anchor] = target.split("#");
        const file = path === "" ? join(root, document) : join(root, dirname(document), path);
        const isThere = existsSync(file) && (anchor === undefined || anchorsOf(file).includes(anchor));
        if (!isThere) dead.push(`${document}: ${target} (${relative(root, file)})`);
      }
    }
    expect(dead).toEqual([]);
  });
});

function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```$/gm, "");
}

function anchorsOf(file: string): string[] {
  const headings = withoutBlocks(readFileSync(file, "utf8")).matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, text = ""]) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

describe("The comparison of shown output", () => {
  const shown = "made 5.0 s ago by 01a20077-c8e3-7d0c-9fd5-6b5af36f6a5e\n…\n3 blocked";

  test("lets ids, times and what is left out differ", () => {
    const came = "made 12 s ago by 01a20099-c8e3-7d0c-9fd5-6b5af36f6a5e\nanything\nat all\n3 blocked\n";
    expect(outputProblem(shown, came, new Map())).toBeUndefined();
  });

  test.each([
    ["another figure", "made 1 s ago by 01a20099-c8e3-7d0c-9fd5-6b5af36f6a5e\n4 blocked"],
    ["a line more at the end", "made 1 s ago by 01a20099-c8e3-7d0c-9fd5-6b5af36f6a5e\n3 blocked\nand more"],
    ["another word", "made 1 s ago for 01a20099-c8e3-7d0c-9fd5-6b5af36f6a5e\n3 blocked"],
    ["nothing", ""],
  ])("fails on %s", (_what, came) => {
    expect(outputProblem(shown, came, new Map())).toContain("This came:");
  });

  test("fails when one id of the document is two in the run", () => {
    const id = "01a20077-c8e3-7d0c-9fd5-6b5af36f6a5e";
    const known = new Map([[id, "01a20000-0000-7000-8000-000000000000"]]);
    expect(outputProblem(id, "01a20011-0000-7000-8000-000000000000", known)).toBeDefined();
    expect(outputProblem(id, "01a20000-0000-7000-8000-000000000000", known)).toBeUndefined();
  });

  test("names the place of a block without an end", () => {
    expect(() => fencedBlocks("text\n```sh\nls", "README.md")).toThrow("README.md:2");
    expect(fencedBlocks("```sh run exit=3\nls\n```", "a.md").map(placeOf)).toEqual(["a.md:1"]);
  });
});
