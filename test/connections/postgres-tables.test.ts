import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgres, postgresTables, type Postgres, type PostgresTablesOptions } from "@headgate/connections";
import { type IoContext, type IoManager, resource, type ValueReference } from "@headgate/sdk";
import { testDatabase, type TestDatabase } from "../support/database.ts";
import { OpenResources } from "./io-context.ts";
import { refusal } from "./object-store-contract.ts";

const opened = new OpenResources();
let database: TestDatabase;
let warehouse: Postgres;
beforeAll(async () => {
  database = await testDatabase({ migrated: false, max: 2 });
  warehouse = await openPostgres(database.url);
});
afterAll(async () => {
  await warehouse.close();
  await database.drop();
});

const connection = resource({ create: () => warehouse });
const tables = (options: Partial<PostgresTablesOptions> = {}) => postgresTables({ postgres: connection, ...options });
const version = (assetKey: string, more: Partial<IoContext> = {}) => ({
  assetKey,
  partitionKey: "",
  versionId: randomUUID(),
  ...more,
});

async function write(io: IoManager<never>, value: unknown, about: Partial<IoContext>): Promise<ValueReference> {
  return (await io.write(value as never, await opened.ioContext(io, about))) as ValueReference;
}

async function read(io: IoManager<never>, reference: ValueReference): Promise<unknown> {
  return await io.read(reference, await opened.ioContext(io));
}

async function publish(io: IoManager<never>, reference: ValueReference, about: Partial<IoContext>): Promise<void> {
  await io.publish?.(reference, await opened.ioContext(io, about));
}

/** What somebody sees who knows nothing of Headgate. */
async function outside(view: string): Promise<unknown[]> {
  return (await warehouse.query(`select * from ${view}`)).rows;
}

describe("Rows in Postgres", () => {
  it("come back as they were, in their order, from a table of their own", async () => {
    const io = tables();
    const at = new Date("2001-02-27T23:10:00.123Z");
    const rows = [
      { id: 2, rate: 0.1, name: 'it\'s \\ "x", {y} NULL\n', ok: true, at, tags: { b: [1, null], a: "é" } },
      { id: 1, rate: 3, name: null, ok: null, at: null, tags: ["\\u0000"], late: "only here" },
    ];
    const about = version("team/odd", { partitionKey: "2001-02" });
    const reference = await write(io, rows, about);
    expect(reference).toMatchObject({ scheme: "postgres", mediaType: "application/vnd.postgresql.table" });
    expect(reference.place).toMatch(/^headgate_test_\w+\/headgate_versions\/team_odd_2001_02_[0-9a-f]{24}$/);
    expect(reference.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await read(io, reference)).toEqual([{ ...rows[0], late: null }, { ...rows[1] }]);
    const { rows: types } = await warehouse.query(
      "select string_agg(data_type, ', ' order by ordinal_position) as types from information_schema.columns where table_name like 'team_odd_%'",
    );
    expect(types).toEqual([
      { types: "bigint, double precision, text, boolean, timestamp with time zone, jsonb, text" },
    ]);
  });

  it("have the same digest for equal rows, and are written once a version; other rows replace them", async () => {
    const io = tables();
    const about = version("team/twice");
    const rows = Array.from({ length: 12_000 }, (_, id) => ({ id, json: { a: 1, b: 2 } }));
    const first = await write(io, rows, about);
    expect(
      await write(
        io,
        rows.map(({ id }) => ({ id, json: { b: 2, a: 1 } })),
        about,
      ),
    ).toEqual(first);
    const elsewhere = await write(io, rows, version("team/twice"));
    expect(elsewhere.digest).toBe(first.digest);
    expect(elsewhere.place).not.toBe(first.place);
    const other = await write(io, [{ id: "text now" }], about);
    expect(other.place).toBe(first.place);
    expect(await read(io, other)).toEqual([{ id: "text now" }]);
    await expect(read(io, first)).rejects.toEqual(refusal("table.digest_mismatch"));
  });

  it("leave nothing behind when one of them is refused, or the step is canceled", async () => {
    const io = tables({ columns: { day: "date" } });
    const about = version("team/refused");
    await expect(write(io, [{ day: "2001-02-27" }, { day: "2001-02-30" }], about)).rejects.toEqual(
      refusal("postgres.query_failed"),
    );
    const canceled = write(io, [{ day: "2001-02-27" }], { ...about, signal: AbortSignal.abort(new Error("stop")) });
    await expect(canceled).rejects.toThrow("stop");
    const { rows } = await warehouse.query("select from pg_class where relname like 'team_refused_%'");
    expect(rows).toEqual([]);
  });

  it.each<[unknown, Partial<PostgresTablesOptions>, string, string]>([
    ["text", {}, "value.not_rows", "a value of type string"],
    [[{ a: 1 }, new Date(0)], {}, "value.not_rows", "row 2"],
    [[], {}, "table.columns_unknown", "an empty list"],
    [[{ a: 1 }, { a: "x" }], {}, "table.value_invalid", '"a" in row 2 of team/bad is text, and bigint in a row before'],
    [[{ a: 2 ** 53 }], { columns: { a: "bigint" } }, "table.value_invalid", "no whole number"],
    [[{ a: 1, b: 2 }], { columns: { a: "bigint" } }, "table.value_invalid", '"b" in row 1'],
    [[{ a: "x\0y" }], {}, "table.value_invalid", "NUL"],
    [[{ a: () => 1 }], {}, "table.value_invalid", "nothing that JSON can say"],
    [[{ ["é".repeat(32)]: 1 }], {}, "table.column_invalid", "1 to 63 bytes"],
    [[{ a: 1 }, { a: 2 }], { rowsMax: 1 }, "table.rows_too_many", "2 rows"],
  ])("are refused where Postgres would change them: %j", async (value, options, code, words) => {
    const refused = write(tables(options), value, version("team/bad"));
    await expect(refused).rejects.toEqual(refusal(code));
    await expect(refused).rejects.toThrow(words);
  });

  it("may be none where the columns are declared, and are read within bounds", async () => {
    const io = tables({ columns: { id: "bigint" }, rowsMax: 2 });
    expect(await read(io, await write(io, [], version("team/empty")))).toEqual([]);
    const three = await write(tables(), [{ id: 1 }, { id: 2 }, { id: 3 }], version("team/three"));
    await expect(read(io, three)).rejects.toEqual(refusal("postgres.rows_too_many"));
    const gone = { ...three, place: `${three.place}x` };
    await expect(read(io, gone)).rejects.toEqual(refusal("table.not_found"));
    const elsewhere = { ...gone, place: three.place.replace(/^[^/]+/, "other").replace(/\w+$/, "x") };
    await expect(read(io, elsewhere)).rejects.toEqual(refusal("table.elsewhere"));
    await expect(read(io, { ...three, place: "s3/x" })).rejects.toEqual(refusal("table.place_invalid"));
  });

  it("stay within their names, whatever the names are", async () => {
    const io = tables({ schema: 'odd "views"', versionsSchema: "Versions; drop" });
    const row = { 'a"; drop table x; --': 1, select: 2, Ünï: 3, "": 4 };
    const about = version("team/a-b/c", { partitionKey: "'; drop schema public cascade; --" });
    await expect(write(io, [row], about)).rejects.toEqual(refusal("table.column_invalid"));
    const { "": _, ...named } = row;
    const reference = await write(io, [named], about);
    await publish(io, reference, about);
    expect(await read(io, reference)).toEqual([named]);
    expect(await outside('"odd ""views""" . "team__a-b__c"')).toEqual([named]);
  });
});

describe("The view of an asset", () => {
  it("shows the version that was published last, whichever is newer, and nothing that was only written", async () => {
    const io = tables();
    const [v1, v2] = [version("team/orders"), version("team/orders")];
    const first = await write(io, [{ id: 1 }], v1);
    await publish(io, first, v1);
    const second = await write(io, [{ id: 2 }], v2);
    expect(await outside("team__orders")).toEqual([{ id: 1 }]);
    await publish(io, second, v2);
    await publish(io, second, v2);
    expect(await outside("team__orders")).toEqual([{ id: 2 }]);
    await publish(io, first, v1);
    expect(await outside("team__orders")).toEqual([{ id: 1 }]);
    expect(await read(io, second)).toEqual([{ id: 2 }]);
  });

  it("follows when columns are added, changed and dropped, and its readers keep their rights", async () => {
    const io = tables();
    // Roles are the server's, which other tests use at the same time.
    const role = `outsider_${process.pid}`;
    await warehouse.query(`create role ${role}`);
    const shapes = [
      [{ id: 1, name: "a" }],
      [{ id: 1, name: "a", more: true }],
      [{ id: "x", amount: 0.5 }],
      [{ id: 1, name: "a" }],
    ];
    for (const [n, rows] of shapes.entries()) {
      const about = version("team/shapes");
      await publish(io, await write(io, rows, about), about);
      expect(await outside("team__shapes")).toEqual(rows);
      if (n === 0) await warehouse.query(`grant select on team__shapes to ${role}, public`);
    }
    const { rows } = await warehouse.query(
      "select count(*) as grants from information_schema.role_table_grants where table_name = 'team__shapes' and grantee in ($1, 'PUBLIC')",
      [role],
    );
    expect(rows).toEqual([{ grants: 2 }]);
    await warehouse.query(`drop owned by ${role}`);
    await warehouse.query(`drop role ${role}`);
  });

  it("shows every partition's published version, and null where a partition lacks a column", async () => {
    const io = tables();
    const at = (partitionKey: string) => version("team/months", { partitionKey });
    const [jan, feb, again] = [at("2001-01"), at("2001-02"), at("2001-01")];
    await publish(io, await write(io, [{ n: 1 }], jan), jan);
    await publish(io, await write(io, [{ n: 0.5, note: "late" }], feb), feb);
    expect(await outside("team__months")).toEqual([
      { n: 1, note: null },
      { n: 0.5, note: "late" },
    ]);
    await publish(io, await write(io, [{ n: 7 }], again), again);
    expect(await outside("team__months order by n")).toEqual([
      { n: 0.5, note: "late" },
      { n: 7, note: null },
    ]);
    const mixed = at("2001-03");
    const text = await write(io, [{ n: "text" }], mixed);
    await expect(publish(io, text, mixed)).rejects.toEqual(refusal("table.columns_differ"));
    expect(await outside("team__months order by n")).toHaveLength(2);
  });

  it("replaces nothing that is not its own", async () => {
    await warehouse.query("create table team__precious (id int)");
    const about = version("team/precious");
    const reference = await write(tables(), [{ id: 1 }], about);
    await expect(publish(tables(), reference, about)).rejects.toEqual(refusal("table.view_taken"));
    expect(await outside("team__precious")).toEqual([]);
  });

  it("is swapped at once for readers, also when two publish at the same moment", async () => {
    const io = tables();
    const versions = Array.from({ length: 6 }, (_, n) => version("team/race", { partitionKey: `p${n}` }));
    const references = await Promise.all(versions.map((about, n) => write(io, [{ n }], about)));
    await Promise.all(references.map((reference, n) => publish(io, reference, versions[n] ?? {})));
    expect(await outside("team__race order by n")).toEqual(versions.map((_, n) => ({ n })));
  });
});
