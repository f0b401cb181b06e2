import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { driveFlush, emptyFlush } from "../../control-plane/src/storage/drive-flush.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { newDaemon } from "../support/drive-rows.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase({ max: 12 });
  await db.pool.query("select ensure_event_partitions()");
});
afterAll(() => db.drop());

describe("the event log", () => {
  test("has no hole and is in the order of the commits, with flushes, transactions and roll-backs at once", async () => {
    const writers = 8;
    const each = 40;
    let committed = 0;
    let reading = true;
    /** Reads as a follower does: whatever is newer than the last it has seen. Nothing may appear behind its back. */
    const follow = async (): Promise<number[]> => {
      const seen: number[] = [];
      for (let last = false; ; last = !reading) {
        const { rows } = await db.pool.query<{ seq: number }>("select seq from events where seq > $1 order by seq", [
          seen.at(-1) ?? 0,
        ]);
        for (const { seq } of rows) seen.push(seq);
        if (last) return seen;
      }
    };
    const following = follow();
    await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        const daemon = await newDaemon(db.pool);
        for (let n = 0; n < each; n++) {
          const events = Array.from({ length: 1 + (n % 3) }, () => ({ kind: `w${String(writer)}` }));
          if (writer % 2 === 0) {
            const flush = emptyFlush(daemon);
            flush.events.push(...events);
            await driveFlush(db.pool, flush);
            committed += events.length;
            continue;
          }
          const fails = n % 5 === 0;
          await withTransaction(db.pool, async (tx) => {
            await tx.query("select append_events($1)", [JSON.stringify(events)]);
            if (fails) throw new Error("rolled back");
          }).catch((error: unknown) => {
            if (!fails) throw error;
          });
          if (!fails) committed += events.length;
        }
      }),
    );
    reading = false;
    const seen = await following;
    expect(seen).toEqual(Array.from({ length: committed }, (_, n) => n + 1));
    const { rows } = await db.pool.query<{ count: number; newest: number }>(
      "select count(*) as count, max(seq) as newest from events",
    );
    expect(rows).toEqual([{ count: committed, newest: committed }]);
  });

  test("makes room for its next ten million events ahead of time", async () => {
    await db.pool.query("select ensure_event_partitions()");
    const { rows } = await db.pool.query<{ name: string }>(
      "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'events'::regclass order by 1",
    );
    expect(rows.map(({ name }) => name)).toEqual(["events_0", "events_1"]);
  });
});
