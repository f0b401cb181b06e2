import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "../support/database.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await db.pool.query(
    `insert into locations (name, team, state) values ('orders', 'orders', 'healthy');
     insert into automations (name, kind, location, cadence, watermark)
       values ('orders/nightly', 'schedule', 'orders', '0 2 * * * UTC', '2026-01-01');
     insert into automations (name, kind, location) values ('orders/late', 'sensor', 'orders')`,
  );
});
afterAll(() => db.drop());

const tick = (fields: Record<string, unknown>): Promise<unknown> => {
  const row = { id: randomUUID(), automation: "orders/nightly", state: "launched", definition_hash: "h", ...fields };
  const ended = ["requested", "evaluated"].includes(row.state) ? {} : { ended_at: new Date() };
  const all: [string, unknown][] = Object.entries({ ...row, ...ended });
  const places = all.map((_, n) => `$${n + 1}`).join(", ");
  return db.pool.query(`insert into ticks (${all.map(([name]) => name).join(", ")}) values (${places})`, [
    ...all.map(([, value]) => value),
  ]);
};

test("a tick is a row, unique on schedule and scheduled instant", async () => {
  const scheduled_at = new Date("2026-01-02T02:00:00Z");
  await tick({ scheduled_at });
  await expect(tick({ scheduled_at })).rejects.toThrow("ticks_once");
  await expect(tick({ scheduled_at, state: "missed", missed_count: 1, missed_since: scheduled_at })).rejects.toThrow(
    "ticks_once",
  );
  await tick({ scheduled_at: new Date("2026-01-03T02:00:00Z") });
});

test("of a sensor there is one open tick at most, and any number that have ended", async () => {
  const automation = "orders/late";
  await tick({ automation, state: "skipped" });
  await tick({ automation, state: "requested" });
  await expect(tick({ automation, state: "requested" })).rejects.toThrow("ticks_one_open");
  await expect(tick({ automation, state: "evaluated", answer: "{}" })).rejects.toThrow("ticks_one_open");
  await tick({ automation, state: "failed" });
});

test("a schedule has a cadence with its watermark, and a sensor neither", async () => {
  const insert = (columns: string, values: string): Promise<unknown> =>
    db.pool.query(`insert into automations (name, location, ${columns}) values ('orders/x', 'orders', ${values})`);
  await expect(insert("kind", "'schedule'")).rejects.toThrow("automations_check");
  await expect(insert("kind, cadence", "'schedule', 'x'")).rejects.toThrow("automations_check");
  await expect(insert("kind, watermark, cadence", "'sensor', now(), 'x'")).rejects.toThrow("automations_check");
  await expect(insert("kind, is_on", "'sensor', true")).rejects.toThrow("automations_check");
});
