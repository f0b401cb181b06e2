import { createServer, type Server, type Socket, connect } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, openDatabase, withTransaction } from "../../control-plane/src/storage/database.ts";
import { DatabaseUnavailableError } from "../../control-plane/src/storage/database-unavailable.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ migrated: false });
  await test.pool.query("create table notes (id bigint primary key, written_at timestamptz, unique (written_at))");
});
afterAll(() => test.drop());

describe("values read", () => {
  it("reads a bigint, and each of a bigint array, as a number", async () => {
    const { rows } = await test.pool.query(
      "select 9007199254740991::bigint as n, array[1, null, -9007199254740991]::bigint[] as list, count(*) as c from notes",
    );
    expect(rows).toEqual([{ n: 9007199254740991, list: [1, null, -9007199254740991], c: 0 }]);
  });

  it("refuses a bigint that a number cannot hold instead of rounding it", async () => {
    await expect(test.pool.query("select 9007199254740993::bigint as n")).rejects.toMatchObject({
      code: "database.number_too_large",
      message: "the bigint 9007199254740993 is not a safe integer",
    });
    expect((await test.pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("reads a timestamptz as the Date that was written", async () => {
    const written = new Date("2001-07-01T00:00:00.123Z");
    const { rows } = await test.pool.query("select $1::timestamptz as at, array[$1]::timestamptz[] as list", [written]);
    expect(rows).toEqual([{ at: written, list: [written] }]);
  });
});

describe("withTransaction", () => {
  it("commits what the work did and returns what it returned", async () => {
    const result = await withTransaction(test.pool, async (client) => {
      await client.query("insert into notes values (1)");
      return "done";
    });
    expect(result).toBe("done");
    expect((await test.pool.query("select id from notes where id = 1")).rows).toEqual([{ id: 1 }]);
  });

  it("rolls back on a throw, throws the same error and gives the connection back", async () => {
    const thrown = new Error("no");
    const narrow = openDatabase(test.url, { max: 1 });
    await expect(
      withTransaction(narrow.pool, async (client) => {
        await client.query("insert into notes values (2)");
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    expect((await narrow.pool.query("select id from notes where id = 2")).rows).toEqual([]);
    expect(narrow.pool.totalCount).toBe(1);
    await narrow.close();
  });

  it("leaves an error of SQL what it is", async () => {
    await expect(
      withTransaction(test.pool, (client) => client.query("insert into notes values (1)")),
    ).rejects.toMatchObject({ code: "23505", constraint: "notes_pkey" });
  });
});

describe("limits of the server's side", () => {
  it("cancels a statement that takes too long", async () => {
    const impatient = openDatabase(test.url, { max: 1, statementTimeoutMs: 50 });
    await expect(impatient.pool.query("select pg_sleep(5)")).rejects.toMatchObject({ code: "57014" });
    await impatient.close();
  });

  it("takes the connection from a transaction that sits idle, and the process survives it", async () => {
    const slow = openDatabase(test.url, { max: 1, idleInTransactionTimeoutMs: 50 });
    await expect(
      withTransaction(slow.pool, async (client) => {
        await client.query("select 1");
        await new Promise<void>((resolve) => client.once("end", resolve));
        await client.query("select 2");
      }),
    ).rejects.toMatchObject({ code: "database.unavailable" });
    expect((await slow.pool.query("select 3 as n")).rows).toEqual([{ n: 3 }]);
    await slow.close();
  });
});

describe("a database that is not there", () => {
  it("is named with a stable code, by pool and by kysely alike", async () => {
    const nowhere = openDatabase("postgres://headgate:x@127.0.0.1:1/headgate", { max: 1 });
    await expect(nowhere.pool.query("select 1")).rejects.toBeInstanceOf(DatabaseUnavailableError);
    await expect(withTransaction(nowhere.pool, (client) => client.query("select 1"))).rejects.toMatchObject({
      code: "database.unavailable",
      commitUnknown: false,
    });
    await expect(nowhere.db.selectFrom("locations").select("name").execute()).rejects.toMatchObject({
      code: "database.unavailable",
      hint: expect.stringContaining("HEADGATE_DATABASE_URL") as string,
    });
    await nowhere.close();
  });

  it("comes back for the same pool after its connections were killed", async () => {
    const { rows } = await test.pool.query<{ pid: number }>("select pg_backend_pid() as pid");
    const other = openDatabase(test.url, { max: 1 });
    await other.pool.query("select pg_terminate_backend($1, 5000)", [rows[0]?.pid]);
    await other.close();
    const second = await test.pool.query<{ pid: number }>("select pg_backend_pid() as pid").catch((error: unknown) => {
      expect(error).toBeInstanceOf(DatabaseUnavailableError);
      return test.pool.query<{ pid: number }>("select pg_backend_pid() as pid");
    });
    expect(second.rows[0]?.pid).not.toBe(rows[0]?.pid);
  });
});

/** A cable between pool and server that can be cut, or left in place without carrying anything. */
class Cable {
  readonly #server: Server;
  readonly #pairs: [Socket, Socket][] = [];
  silent = false;

  static async lay(url: string): Promise<{ cable: Cable; url: string }> {
    const target = new URL(url);
    const cable = new Cable(Number(target.port), target.hostname);
    await once(cable.#server, "listening");
    target.port = String((cable.#server.address() as { port: number }).port);
    return { cable, url: target.href };
  }

  private constructor(port: number, host: string) {
    this.#server = createServer((near) => {
      const far = connect(port, host);
      this.#pairs.push([near, far]);
      near.on("data", (data) => far.write(data));
      far.on("data", (data) => this.silent || near.write(data));
      for (const socket of [near, far]) socket.on("error", () => undefined);
      near.on("close", () => far.destroy());
      far.on("close", () => this.silent || near.destroy());
    }).listen(0, "127.0.0.1");
  }

  cut(): void {
    for (const [near, far] of this.#pairs.splice(0)) {
      near.destroy();
      far.destroy();
    }
  }

  async remove(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}

describe("a connection that breaks during the commit", () => {
  let cable: Cable;
  let far: Database;

  beforeAll(async () => {
    const laid = await Cable.lay(test.url);
    cable = laid.cable;
    far = openDatabase(laid.url, { max: 1, statementTimeoutMs: 200, answerGraceMs: 100 });
  });
  afterAll(async () => {
    await far.close();
    await cable.remove();
  });

  it("is said to be unknown, because it may have been committed", async () => {
    const outcome = withTransaction(far.pool, async (client) => {
      await client.query("insert into notes values (3)");
      // From here on nothing comes back: the commit arrives, its answer does not.
      cable.silent = true;
      const cut = setInterval(() => {
        void test.pool.query("select from notes where id = 3").then(({ rowCount }) => {
          if (rowCount === 0) return;
          clearInterval(cut);
          cable.cut();
        });
      }, 10);
    });
    await expect(outcome).rejects.toMatchObject({ code: "database.unavailable", commitUnknown: true });
    cable.silent = false;
    expect((await far.pool.query("select id from notes where id = 3")).rows).toEqual([{ id: 3 }]);
  });

  it("is given up when the server no longer answers at all", async () => {
    cable.silent = true;
    await expect(far.pool.query("select 1")).rejects.toMatchObject({ code: "database.unavailable" });
    cable.silent = false;
    cable.cut();
    expect((await far.pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
  });
});
