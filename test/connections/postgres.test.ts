import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgres, postgres, type Postgres } from "@headgate/connections";
import { env, type Resource } from "@headgate/sdk";
import { testDatabase, type TestDatabase } from "../support/database.ts";
import { until } from "../support/until.ts";
import { OpenResources } from "./io-context.ts";
import { refusal } from "./object-store-contract.ts";

let database: TestDatabase;
let warehouse: Postgres;
beforeAll(async () => {
  database = await testDatabase({ migrated: false, max: 1 });
  warehouse = await openPostgres(database.url, { connectionsMax: 2, statementTimeoutMs: 20_000 });
  await warehouse.query("create table orders (id bigint primary key, day date, note text)");
});
afterAll(async () => {
  await warehouse.close();
  await database.drop();
});

/** What other connections are at in this database. */
async function active(query: string): Promise<number> {
  const { rows } = await database.pool.query<{ n: number }>(
    "select count(*)::int as n from pg_stat_activity where state = 'active' and query = $1",
    [query],
  );
  return rows[0]?.n ?? 0;
}

describe("A query", () => {
  it("sends its values as parameters and reads rows as they are, whatever the time zone of this machine", async () => {
    const at = new Date("2001-02-27T23:10:00.123Z");
    const values = ["'; drop table orders; --", 42, 9_007_199_254_740_991n, true, null, at, [1, 2], { a: [1] }];
    const { rows } = await warehouse.query(
      `select $1::text as text, $2::int as int, $3::bigint as big, $4::boolean as yes, $5::text as nothing,
        $6::timestamp as plain, $6::timestamptz as zoned, $6::date as day, $7::bigint[] as list, $8::jsonb as json,
        array['2001-02-27'::date] as days, 'infinity'::timestamp as never, 1.50::numeric as exact`,
      values,
    );
    expect(rows).toEqual([
      {
        text: values[0],
        int: 42,
        big: 9_007_199_254_740_991,
        yes: true,
        nothing: null,
        plain: at,
        zoned: at,
        day: "2001-02-27",
        list: [1, 2],
        json: { a: [1] },
        days: ["2001-02-27"],
        never: Infinity,
        exact: "1.50",
      },
    ]);
    const inserted = await warehouse.query("insert into orders values (1, $1, 'a'), (2, $1, 'b')", ["2001-02-27"]);
    expect(inserted.rowCount).toBe(2);
  });

  it("is refused with its text and Postgres' words, and leaves the connection usable", async () => {
    const failing = warehouse.query("select nope from orders where note = $1", ["a private value"]);
    await expect(failing).rejects.toEqual(refusal("postgres.query_failed"));
    const message = await failing.catch((error: unknown) => (error as Error).message);
    expect(message).toContain('column "nope" does not exist (SQLSTATE 42703, at character 8)');
    expect(message).toContain("select nope from orders where note = $1");
    expect(message).not.toContain("private");
    await expect(warehouse.query("select 9007199254740993::bigint as big")).rejects.toEqual(
      refusal("postgres.integer_unsafe"),
    );
    await expect(warehouse.query("select $1::timestamp", [new Date(Number.NaN)])).rejects.toEqual(
      refusal("postgres.value_invalid"),
    );
    expect((await warehouse.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("gives no more rows than were allowed, and stops the server from making more", async () => {
    const endless = "select generate_series(1, 100000000000)";
    await expect(warehouse.query(endless, [], { rowsMax: 10 })).rejects.toEqual(refusal("postgres.rows_too_many"));
    expect(await active(endless)).toBe(0);
    expect((await warehouse.query("select generate_series(1, 10)", [], { rowsMax: 10 })).rows).toHaveLength(10);
  });

  it("is canceled on the server when its signal is aborted, also while it waits for a connection", async () => {
    const reason = new Error("the step was canceled");
    const abort = new AbortController();
    const sleep = "select pg_sleep(600)";
    const running = [1, 2].map(() => warehouse.query(sleep, [], { signal: abort.signal }));
    await until("both sleep", async () => (await active(sleep)) === 2);
    const waiting = warehouse.query("select 1", [], { signal: abort.signal });
    abort.abort(reason);
    const ends = await Promise.allSettled([...running, waiting]);
    expect(ends).toEqual(ends.map(() => ({ status: "rejected", reason })));
    await until("nothing sleeps", async () => (await active(sleep)) === 0);
    await expect(warehouse.query("select 1", [], { signal: abort.signal })).rejects.toBe(reason);
    expect((await warehouse.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("is ended by the server after the statement timeout", async () => {
    const impatient = await openPostgres(database.url, { statementTimeoutMs: 50 });
    await expect(impatient.query("select pg_sleep(600)")).rejects.toEqual(refusal("postgres.timed_out"));
    await impatient.close();
  });
});

describe("A transaction", () => {
  const count = async () => (await warehouse.query<{ n: number }>("select count(*) as n from orders")).rows[0]?.n;

  it("is committed when its function returns, and rolled back when it throws", async () => {
    const before = (await count()) ?? 0;
    const id = await warehouse.transaction(async (transaction) => {
      await transaction.query("insert into orders (id) values (10)");
      return (await transaction.query<{ id: number }>("insert into orders (id) values (11) returning id")).rows[0]?.id;
    });
    expect(id).toBe(11);
    const reason = new Error("no");
    const thrown = warehouse.transaction(async (transaction) => {
      await transaction.query("insert into orders (id) values (12)");
      throw reason;
    });
    await expect(thrown).rejects.toBe(reason);
    expect(await count()).toBe(before + 2);
  });

  it("is not called committed when the error of one of its statements was caught", async () => {
    const before = await count();
    const caught = warehouse.transaction(async (transaction) => {
      await transaction.query("insert into orders (id) values (20)");
      await transaction.query("select 1/0").catch(() => {});
    });
    await expect(caught).rejects.toThrow("rolled back");
    expect(await count()).toBe(before);
  });

  it("refuses a query that comes after its end", async () => {
    const late = await warehouse.transaction((transaction) => Promise.resolve(() => transaction.query("select 1")));
    await expect(late()).rejects.toEqual(refusal("postgres.transaction_ended"));
  });

  it("is rolled back when its signal is aborted", async () => {
    const before = await count();
    const abort = new AbortController();
    const aborted = warehouse.transaction(
      async (transaction) => {
        await transaction.query("insert into orders (id) values (30)");
        abort.abort(new Error("stop"));
        await transaction.query("insert into orders (id) values (31)");
      },
      { signal: abort.signal },
    );
    await expect(aborted).rejects.toThrow("stop");
    expect(await count()).toBe(before);
  });
});

describe("The connection", () => {
  const password = "pass word/ö";
  const named = (host: string) => `postgresql://reader:${encodeURIComponent(password)}@${host}`;

  it("says where it failed and never its password, which is struck out wherever the step writes", async () => {
    const opened = new OpenResources();
    const urls = { unreachable: named("127.0.0.1:1/orders"), unknown: named(`${new URL(database.url).host}/nowhere`) };
    for (const [name, url] of Object.entries(urls)) {
      const { it: connection } = (await opened.open({ it: postgres({ url: env("NONE", url) }) })) as { it: Postgres };
      const error: unknown = await connection.query("select 1").catch((thrown: unknown) => thrown);
      expect(error).toEqual(refusal(name === "unreachable" ? "postgres.unavailable" : "postgres.denied"));
      const shown = inspect(error, { depth: 10 }) + inspect(connection, { depth: 10 });
      expect(shown).toContain(new URL(url).host);
      for (const secret of [password, encodeURIComponent(password)]) expect(shown).not.toContain(secret);
    }
    expect(opened.redacted).toEqual(new Set([password, encodeURIComponent(password)]));
    await opened.dispose();
  });

  it.each(["mysql://reader:hush-hush@host/db", "reader:hush-hush@host", "postgres://reader:hush-hush@[/db"])(
    "refuses the URL %s without quoting it",
    async (url) => {
      const refused = openPostgres(url).catch((thrown: unknown) => thrown);
      expect(await refused).toEqual(refusal("postgres.url_invalid"));
      expect(inspect(await refused)).not.toContain("hush");
    },
  );

  it("is replaced after the server ended it, and ends what runs when it is closed", async () => {
    const one = await openPostgres(database.url, { connectionsMax: 1 });
    const { rows } = await one.query<{ pid: number }>("select pg_backend_pid() as pid");
    const sleep = "select pg_sleep(601)";
    const running = one.query(sleep).catch((error: unknown) => error);
    await until("it sleeps", async () => (await active(sleep)) === 1);
    await database.pool.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
    expect(await running).toEqual(refusal("postgres.unavailable"));
    expect((await one.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    const last = one.query(sleep).catch((error: unknown) => error);
    await until("it sleeps", async () => (await active(sleep)) === 1);
    await one.close();
    expect(await last).toEqual(refusal("postgres.unavailable"));
  });

  it("is a resource whose value the compiler knows", () => {
    const definition: Resource<Postgres> = postgres({ url: env("WAREHOUSE_URL") });
    expect(definition.kind).toBe("resource");
  });
});
