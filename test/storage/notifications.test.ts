import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { type Notifications, notify, openNotifications } from "../../control-plane/src/storage/notifications.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";

let test: TestDatabase;
let notifications: Notifications;

beforeAll(async () => {
  test = await testDatabase({ migrated: false });
  notifications = openNotifications(test.url, { applicationName: "listener" });
});
afterAll(async () => {
  await notifications.close();
  await test.drop();
});

/** Collects what a channel delivers, and waits for it. */
function inbox() {
  const received: (string | undefined)[] = [];
  let wake: () => void = () => undefined;
  return {
    received,
    listener: (payload: string | undefined) => {
      received.push(payload);
      wake();
    },
    async until(predicate: (received: readonly (string | undefined)[]) => boolean): Promise<void> {
      while (!predicate(received)) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

describe("notifications", () => {
  it("deliver what a transaction sent once it commits, and nothing of one that rolls back", async () => {
    const { received, listener, until } = inbox();
    const unsubscribe = await notifications.subscribe("runs", listener);
    await withTransaction(test.pool, async (client) => {
      await notify(client, "runs", "lost");
      throw new Error("no");
    }).catch(() => undefined);
    await withTransaction(test.pool, async (client) => {
      await notify(client, "runs", "kept");
      expect(received).toEqual([]);
    });
    await until(({ length }) => length === 1);
    expect(received).toEqual(["kept"]);
    unsubscribe();
  });

  it("reach only the subscribers of their channel, until they unsubscribe", async () => {
    const one = inbox();
    const two = inbox();
    const end = await notifications.subscribe('Odd "name"', one.listener);
    await notifications.subscribe("two", two.listener);
    await notify(test.pool, 'Odd "name"', "1");
    await notify(test.pool, "two", "2");
    await two.until(({ length }) => length === 1);
    expect([one.received, two.received]).toEqual([["1"], ["2"]]);
    end();
    await notify(test.pool, 'Odd "name"', "3");
    await notify(test.pool, "two", "4");
    await two.until(({ length }) => length === 2);
    expect(one.received).toEqual(["1"]);
  });

  it("are sent at most once every 5 ms, the newest payload for all", async () => {
    const { received, listener, until } = inbox();
    await notifications.subscribe("events", listener);
    for (let seq = 1; seq <= 1_000; seq++) notifications.notifySoon("events", String(seq));
    await until((all) => all.includes("1000"));
    expect(received).toEqual(["1000"]);
  });

  it("go on after the connection was killed, and say that something may have been missed", async () => {
    const { received, listener, until } = inbox();
    await notifications.subscribe("checks", listener);
    const { rowCount } = await test.pool.query(
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'listener'",
    );
    expect(rowCount).toBe(1);
    await until((all) => all.includes(undefined));
    await notify(test.pool, "checks", "heard");
    await until((all) => all.includes("heard"));
    expect(received).toEqual([undefined, "heard"]);
  });

  it("close at once while the database is away", async () => {
    const away = openNotifications("postgres://headgate:x@127.0.0.1:1/headgate");
    const pending = away.subscribe("runs", () => undefined);
    await away.close();
    await pending;
    expect((await test.pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
  });
});
