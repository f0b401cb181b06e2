import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../control-plane/src/storage/database.ts";
import { assertSchemaCurrent, migrate, migrationStatus } from "../../control-plane/src/storage/migrate.ts";
import { readMigrationFiles } from "../../control-plane/src/storage/migration-files.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";

let test: TestDatabase;
let folder: string;

const first = "create table assets (key text primary key);\ninsert into assets values ('flights/airports');\n";
const second = "alter table assets add column team text;\n";

async function files(contents: Readonly<Record<string, string>>): Promise<void> {
  await rm(folder, { recursive: true });
  folder = await mkdtemp(join(tmpdir(), "headgate-migrations-"));
  for (const [name, text] of Object.entries(contents)) await writeFile(join(folder, name), text);
}

beforeEach(async () => {
  test = await testDatabase({ migrated: false });
  folder = await mkdtemp(join(tmpdir(), "headgate-migrations-"));
});
afterEach(async () => {
  await test.drop();
  await rm(folder, { recursive: true });
});

const state = async () => {
  const status = await migrationStatus(test.pool, { folder });
  return [status.schema, ...status.migrations.map((migration) => `${String(migration.number)} ${migration.state}`)];
};

describe("migrate", () => {
  it("brings an empty database to the schema of this package", async () => {
    const applied = await migrate(test.pool);
    expect(applied.map(({ file }) => file)).toEqual((await readMigrationFiles()).map(({ file }) => file));
    await assertSchemaCurrent(test.pool);
    expect((await test.pool.query("select to_regclass('runs') is not null as there")).rows).toEqual([{ there: true }]);
    expect(await migrate(test.pool)).toEqual([]);
  });

  it("applies what is pending, in order, and nothing twice", async () => {
    await files({ "000001_init.sql": first });
    expect(await state()).toEqual(["outdated", "1 pending"]);
    expect((await migrate(test.pool, { folder })).map(({ name }) => name)).toEqual(["init"]);
    await files({ "000001_init.sql": first, "000002_team.sql": second });
    expect(await state()).toEqual(["outdated", "1 applied", "2 pending"]);
    expect((await migrate(test.pool, { folder })).map(({ name }) => name)).toEqual(["team"]);
    expect(await state()).toEqual(["current", "1 applied", "2 applied"]);
    expect((await test.pool.query("select * from assets")).rows).toEqual([{ key: "flights/airports", team: null }]);
  });

  it("applies each file once when four processes' worth of callers start at the same moment", async () => {
    await files({ "000001_init.sql": `${first}select pg_sleep(0.05);`, "000002_team.sql": second });
    const pools = Array.from({ length: 4 }, () => openDatabase(test.url, { max: 1, statementTimeoutMs: 20 }));
    const applied = await Promise.all(pools.map(({ pool }) => migrate(pool, { folder })));
    expect(applied.flat().map(({ name }) => name)).toEqual(["init", "team"]);
    await Promise.all(pools.map((database) => database.close()));
  });

  it("leaves nothing of a file that fails, keeps those before it, and says file and line", async () => {
    await files({
      "000001_init.sql": first,
      "000002_team.sql": "create table teams (name text);\n\nalter table asets add x int;\n",
    });
    await expect(migrate(test.pool, { folder })).rejects.toMatchObject({
      code: "schema.migration_failed",
      message: '000002_team.sql: relation "asets" does not exist',
    });
    expect(await state()).toEqual(["outdated", "1 applied", "2 pending"]);
    expect((await test.pool.query("select to_regclass('teams') as teams")).rows).toEqual([{ teams: null }]);
    await files({
      "000001_init.sql": first,
      "000002_team.sql": "create table teams (name text);\n\nselect from asets;\n",
    });
    await expect(migrate(test.pool, { folder })).rejects.toMatchObject({
      message: '000002_team.sql:3: relation "asets" does not exist',
    });
  });

  it("refuses a file that ends the transaction it runs in", async () => {
    await files({ "000001_init.sql": `${first}commit;\nbegin;` });
    await expect(migrate(test.pool, { folder })).rejects.toMatchObject({ code: "schema.migration_failed" });
  });

  it("refuses an applied file that changed, but not for its line ends", async () => {
    await files({ "000001_init.sql": first });
    await migrate(test.pool, { folder });
    await files({ "000001_init.sql": first.replaceAll("\n", "\r\n") });
    expect(await state()).toEqual(["current", "1 applied"]);
    await files({ "000001_init.sql": `${first}-- afterthought\n`, "000002_team.sql": second });
    await expect(migrate(test.pool, { folder })).rejects.toMatchObject({
      code: "schema.changed",
      message: "migration 1 init is not the one that this database was migrated with",
    });
    await expect(assertSchemaCurrent(test.pool, { folder })).rejects.toMatchObject({ code: "schema.changed" });
    expect(await state()).toEqual(["changed", "1 changed", "2 pending"]);
  });

  it.each([
    ["a gap", { "000001_init.sql": first, "000003_team.sql": second }, "000002"],
    ["a duplicate", { "000001_init.sql": first, "000001_team.sql": second }, "000002"],
    ["another form", { "1_init.sql": first }, "000001"],
  ])("refuses %s in the numbers", async (_, contents, expected) => {
    await files(contents);
    await expect(migrate(test.pool, { folder })).rejects.toMatchObject({
      code: "schema.invalid_migration",
      message: expect.stringContaining(`expected migration number ${expected}`) as string,
    });
  });
});

describe("assertSchemaCurrent", () => {
  it("refuses an empty database and an older schema with the command that mends it", async () => {
    await files({ "000001_init.sql": first, "000002_team.sql": second });
    await expect(assertSchemaCurrent(test.pool, { folder })).rejects.toMatchObject({
      code: "schema.outdated",
      message: "the database lacks 2 migration(s): 1 init, 2 team",
      hint: "run: headgate migrate",
    });
    expect((await test.pool.query("select to_regclass('migrations') as t")).rows).toEqual([{ t: null }]);
    await migrate(test.pool, { folder });
    await expect(assertSchemaCurrent(test.pool, { folder })).resolves.toBeUndefined();
  });

  it("works on a newer schema unless what is new breaks it", async () => {
    await files({ "000001_init.sql": first, "000002_team.sql": second });
    await migrate(test.pool, { folder });
    await files({ "000001_init.sql": first });
    await expect(assertSchemaCurrent(test.pool, { folder })).resolves.toBeUndefined();
    expect(await state()).toEqual(["newer", "1 applied", "2 unknown"]);

    await files({
      "000001_init.sql": first,
      "000002_team.sql": second,
      "000003_cut.sql": "-- breaking\ndrop table assets;",
    });
    await migrate(test.pool, { folder });
    await files({ "000001_init.sql": first });
    const newer = { code: "schema.newer", message: expect.stringContaining("migration 3 cut") as string };
    await expect(assertSchemaCurrent(test.pool, { folder })).rejects.toMatchObject(newer);
    await expect(migrate(test.pool, { folder })).rejects.toMatchObject(newer);
  });
});
