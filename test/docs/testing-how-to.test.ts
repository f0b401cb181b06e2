import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fencedBlocks } from "./fenced-blocks.ts";
import { moduleOf } from "./module-of.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const document = "docs/how-to/testing.md";

test("The page on tests is a test file that passes", async () => {
  const blocks = fencedBlocks(readFileSync(join(root, document), "utf8"), document);
  const text = moduleOf(blocks.filter(({ marks }) => marks.has("check")));
  const cache = join(root, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "headgate-docs-"));
  try {
    const file = join(folder, "sales.test.ts");
    writeFileSync(file, text);
    const own = Object.entries(process.env).filter(
      ([name]) => !/^(VITEST|NODE_ENV$|NODE_OPTIONS$|NODE_TEST)/.test(name),
    );
    const args = ["--import", "tsx", "--test", "--test-reporter", "tap", file];
    const { status, stdout } = await new Promise<{ status: unknown; stdout: string }>((resolve) => {
      execFile(process.execPath, args, { cwd: root, env: Object.fromEntries(own) }, (error, stdout) => {
        resolve({ status: error?.code ?? 0, stdout });
      });
    });
    expect(status, stdout).toBe(0);
    const written = text.match(/^test\(/gm)?.length ?? 0;
    expect(written).toBeGreaterThan(5);
    expect(stdout).toMatch(new RegExp(`^# pass ${written}$`, "m"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
