import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readMigrationFiles } from "../../control-plane/src/storage/migration-files.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { fencedBlocks, placeOf } from "./fenced-blocks.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const document = "docs/how-to/upgrading.md";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase({ migrated: false });
});
afterAll(() => database.drop());

function shell(line: string): Promise<{ status: unknown; stdout: string; stderr: string }> {
  const env = { ...process.env, HEADGATE_DATABASE_URL: database.url };
  return new Promise((resolve) => {
    execFile("sh", ["-c", line], { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ status: error?.code ?? 0, stdout, stderr });
    });
  });
}

test("The page on upgrades brings a database up to date, and its history is sound", { timeout: 60_000 }, async () => {
  const blocks = fencedBlocks(readFileSync(join(root, document), "utf8"), document);
  const said = new Map<string, string[]>();
  for (const block of blocks) {
    expect(block.marks.has("run"), placeOf(block)).toBe(true);
    for (const line of block.text.split("\n")) {
      const { status, stdout, stderr } = await shell(line);
      expect(status, `${placeOf(block)}: ${line}\n${stdout}${stderr}`).toBe(0);
      said.set(line, [...(said.get(line) ?? []), stdout]);
    }
  }
  const [before, after] = said.get("npx headgate migrate --status") ?? [];
  expect(before).toContain("The schema is outdated.");
  expect(after).toContain("The schema is current.");
  const files = await readMigrationFiles();
  expect(
    said
      .get("npx headgate migrate")?.[0]
      ?.split("\n")
      .filter((line) => line !== ""),
  ).toHaveLength(files.length);
});
