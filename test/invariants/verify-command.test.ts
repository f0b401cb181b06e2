import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { verify } from "../../control-plane/src/cli/commands/verify.ts";
import { openDatabase } from "../../control-plane/src/storage/database.ts";
import { startEmbeddedPostgres } from "../../control-plane/src/storage/embedded-postgres.ts";
import { migrate } from "../../control-plane/src/storage/migrate.ts";
import { verifiedRules } from "../../control-plane/src/storage/verify.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";

/** What the command prints, and its status. */
async function run(options: Partial<Parameters<typeof verify>[0]>): Promise<{ status: number; printed: string }> {
  let printed = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  try {
    return { status: await verify({ databaseUrl: undefined, dataDir: "nowhere", json: false, ...options }), printed };
  } finally {
    write.mockRestore();
  }
}

describe("headgate verify", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase();
  });
  afterAll(() => db.drop());
  afterEach(() => db.pool.query("delete from runs"));

  test("says that every rule holds, with status 0", async () => {
    const { status, printed } = await run({ databaseUrl: db.url });
    expect(status).toBe(0);
    expect(printed).toMatch(/^All \d+ rules hold: 0 runs, 0 attempts, 0 versions, 0 events\.\n$/);
  });

  test("names what it found, with status 1; as JSON with the ids", async () => {
    await db.pool.query(
      `insert into runs (id, state, source, actor, selection, step_count)
       values ('0197a3f0-0000-7000-8000-000000000001', 'queued', 'manual', 'ada', 's', 0)`,
    );
    const { status, printed } = await run({ databaseUrl: db.url });
    expect(status).toBe(1);
    const audited = verifiedRules.find(({ id }) => id === "history.audited");
    expect(printed).toContain(`History: ${audited?.says ?? "?"}`);
    expect(printed).toContain("history.audited: run 0197a3f0-0000-7000-8000-000000000001 has no audit row");
    const json = JSON.parse((await run({ databaseUrl: db.url, json: true })).printed) as { violations: object[] };
    expect(json.violations).toMatchObject([
      { rule: "history.audited", count: 1, ids: { run: "0197a3f0-0000-7000-8000-000000000001" } },
    ]);
  });

  test("refuses a database of another schema, and a folder without one", async () => {
    const empty = await testDatabase({ migrated: false });
    await expect(run({ databaseUrl: empty.url })).rejects.toMatchObject({ code: "verify.schema" });
    await empty.drop();
    await expect(run({ dataDir: "/nowhere/at/all" })).rejects.toMatchObject({ code: "verify.no_database" });
  });
});

test("headgate verify reads the database of a data folder while its owner runs, and when nobody does", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "headgate-verify-"));
  try {
    const embedded = await startEmbeddedPostgres({ dataDir });
    const database = openDatabase(embedded.url, { max: 1 });
    await migrate(database.pool);
    await database.close();
    expect((await run({ dataDir })).status).toBe(0);
    await embedded.stop();
    expect((await run({ dataDir })).status).toBe(0);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
