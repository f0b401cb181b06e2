import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import {
  openDatabase,
  relation,
  sql,
  tableMetadata,
  type Database,
  type Relation,
  type SqlValue,
} from "@headgate/connections";
import { refusal } from "./object-store-contract.ts";

let database: Database;
beforeAll(async () => {
  database = await openDatabase({ memoryBytesMax: 256 * 2 ** 20, threads: 1 });
});
afterAll(() => database.close());

const one = async (query: ReturnType<typeof sql>) => (await database.rows(query))[0];

describe("sql`...`", () => {
  it.each<[SqlValue, unknown]>([
    ["it's", "it's"],
    ["'; drop table x; --", "'; drop table x; --"],
    ["back\\slash", "back\\slash"],
    [42, 42],
    [-42, -42],
    [0.1, 0.1],
    [-1e-300, -1e-300],
    [9_007_199_254_740_991n, 9_007_199_254_740_991],
    [true, true],
    [null, null],
    [new Date("2001-02-27T23:10:00.123Z"), new Date("2001-02-27T23:10:00.123Z")],
  ])("quotes the value %o so that DuckDB gives it back", async (value, expected) => {
    expect(await one(sql`select ${value} as value`)).toEqual({ value: expected });
  });

  it("keeps a minus and a negative number from becoming a comment", async () => {
    expect(await one(sql`select 1 -${-2} as three`)).toEqual({ three: 3 });
  });

  it("writes lists, names and pieces", async () => {
    const columns = sql.join([sql.identifier('odd "name"'), sql.identifier("n")]);
    const source = database.relation(sql`select 'x' as ${sql.identifier('odd "name"')}, unnest([1, 2, 3]) as n`);
    expect(await database.rows(sql`select ${columns} from ${source} where n in ${[1, 3]}`)).toEqual([
      { 'odd "name"': "x", n: 1 },
      { 'odd "name"': "x", n: 3 },
    ]);
  });

  it.each([[Number.NaN], ["a\0b"], [new Date(Number.NaN)], [[]], [undefined], [{}]])("refuses %o", (value) => {
    expect(() => sql`select ${value as SqlValue}`).toThrow(refusal("sql.value_invalid"));
  });

  it("takes no text for SQL, not even an object that looks like a piece", () => {
    const forged = { text: "1; drop table x", relations: [] } as unknown as SqlValue;
    expect(() => sql`select ${forged}`).toThrow(refusal("sql.value_invalid"));
  });
});

describe("A relation", () => {
  it("is lazy: a wrong query is noticed when something asks for its rows", async () => {
    const wrong = database.relation(sql`select * from nowhere`);
    await expect(wrong.count()).rejects.toEqual(refusal("duckdb.query_failed"));
    await expect(wrong.count()).rejects.toThrow("nowhere");
  });

  it("may end its query with a comment or a semicolon", async () => {
    const commented = database.relation(sql`select 1 as a -- one`);
    expect(await database.relation(sql`select * from ${commented};`).rows(1)).toEqual([{ a: 1 }]);
  });

  it("gives no more rows than were asked for, and no more than it ever gives", async () => {
    const many = database.relation(sql`select i from range(20_000) r(i)`);
    expect(await many.rows(2)).toEqual([{ i: 0 }, { i: 1 }]);
    expect(await many.rows(10_000)).toHaveLength(10_000);
    await expect(many.rows(10_001)).rejects.toEqual(refusal("relation.rows_too_many"));
    await expect(database.rows(sql`select * from ${many}`)).rejects.toEqual(refusal("relation.rows_too_many"));
  });

  it("gives an error and no wrong digit for an integer that a number cannot hold", async () => {
    const big = database.relation(sql`select 9007199254740993 as big`);
    await expect(big.rows(1)).rejects.toEqual(refusal("relation.integer_unsafe"));
  });

  it("stops a query that would take hours when it is asked to", async () => {
    const endless = sql`select sum(a.i * b.i) from range(10_000_000) a(i), range(10_000_000) b(i)`;
    const stop = new AbortController();
    const outcome = database.rows(endless, { signal: stop.signal }).catch((error: unknown) => error);
    setTimeout(() => stop.abort(), 50);
    expect(await outcome).toBe(stop.signal.reason);

    const path = join(tmpdir(), "headgate-never-written.parquet");
    const write = database.relation(endless).writeParquet(path, { signal: AbortSignal.timeout(50) });
    await expect(write).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("reads a file whose path has characters that mean something elsewhere", async () => {
    const folder = await mkdtemp(join(tmpdir(), "odd [a-z]*? k=v 'q' é-"));
    try {
      const path = join(folder, "x=1.parquet");
      await database.relation(sql`select 7 as seven`).writeParquet(path);
      expect(await database.parquet(path).rows(1)).toEqual([{ seven: 7 }]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("relation(columns)", () => {
  const schema = relation({ origin: "VARCHAR", delay: "BIGINT", date: "TIMESTAMP", late: "BOOLEAN" });
  const validate = async (value: unknown) => await schema["~standard"].validate(value);

  it("types a row by its columns", () => {
    type Value = NonNullable<(typeof schema)["~standard"]["types"]>["output"];
    expectTypeOf<Value>().toEqualTypeOf<
      Relation<{ readonly origin: string; readonly delay: number; readonly date: Date; readonly late: boolean }>
    >();
  });

  it("accepts the columns in any order, and others beside them", async () => {
    const value = database.relation(
      sql`select true as late, 1 as more, 2::bigint as delay, 'x' as origin, now()::timestamp as date`,
    );
    expect(await validate(value)).toEqual({ value });
  });

  it("names each column that is missing or of another type", async () => {
    const value = database.relation(sql`select 'x' as origin, 1.5::double as delay, true as late`);
    expect(await validate(value)).toEqual({
      issues: [
        { path: ["delay"], message: "The column is DOUBLE and should be BIGINT: cast it in SQL." },
        { path: ["date"], message: "The column is missing; the relation has origin, delay, late." },
      ],
    });
  });

  it("refuses what is no relation", async () => {
    expect(await validate([{ origin: "x" }])).toMatchObject({ issues: [{ message: /relation/ }] });
  });
});

describe("tableMetadata", () => {
  it("shows the first rows, with times as they are in the table", async () => {
    const rows = database.relation(sql`
      select unnest([3, 2, 1]) as n, timestamp '2001-02-27 23:10:00' as departure, date '2001-02-27' as day,
        timestamptz '2001-02-27 23:10:00+01' as moment, null as nothing, [1, 2] as list
    `);
    expect(await tableMetadata(rows, 2)).toEqual({
      kind: "table",
      columns: ["n", "departure", "day", "moment", "nothing", "list"],
      rows: [3, 2].map((n) => [n, "2001-02-27 23:10:00", "2001-02-27", "2001-02-27T22:10:00.000Z", null, "1,2"]),
    });
  });
});
