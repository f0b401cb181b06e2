import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Definition, definitionKey } from "../../control-plane/src/domain/definitions.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { applyManifest, removeLocation } from "../../control-plane/src/storage/definitions.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { assetOf, scheduleOf, sensorOf } from "../support/graph-definitions.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await db.pool.query("select ensure_event_partitions()");
});
afterAll(() => db.drop());

const hashOf = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex");

async function apply(location: string, ...good: Definition[]): Promise<void> {
  const entries = good.map((definition) => ({
    kind: definition.kind,
    key: definitionKey(definition),
    hash: hashOf(definition),
  }));
  const definitions = new Map(good.map((definition) => [hashOf(definition), { ok: true as const, definition }]));
  const manifest = { definitionsHash: hashOf([location, entries]), buildId: "b", entries, definitions };
  await withTransaction(db.pool, (tx) => applyManifest(tx, { location, team: "a", ...manifest }));
}

interface Row {
  readonly location: string;
  readonly cadence: string;
  readonly retired: boolean;
  /** Whether the watermark is where `mark` has put it. */
  readonly marked: boolean;
}

const long = new Date("2020-01-01T00:00:00Z");

async function mark(): Promise<void> {
  await db.pool.query("update automations set watermark = $1", [long]);
}

async function row(): Promise<Row | undefined> {
  const { rows } = await db.pool.query<Row>(
    "select location, cadence, retired_at is not null as retired, watermark = $1 as marked from automations where name = 'a/s'",
    [long],
  );
  return rows[0];
}

const schedule = (cron = "0 2 * * *", rest = {}) => scheduleOf("a/s", cron, rest);
const asset = assetOf("a/x");

test("a schedule has its row from the transaction that defines it, with a watermark of now", async () => {
  await apply("a", asset, schedule());
  expect(await row()).toEqual({ location: "a", cadence: "0 2 * * * UTC", retired: false, marked: false });
  const { rows } = await db.pool.query<{ near: boolean }>(
    "select watermark > clock_timestamp() - interval '1 minute' as near from automations",
  );
  expect(rows).toEqual([{ near: true }]);
});

test("the watermark stays when anything but cron and zone changes, and when nothing does", async () => {
  await mark();
  await apply("a", asset, schedule("0 2 * * *", { selection: "a/x", priority: 7 }));
  expect(await row()).toMatchObject({ marked: true });
  await apply("a", asset, assetOf("a/y"), schedule("0  2 * * *"));
  expect(await row()).toMatchObject({ marked: true });
});

test("the watermark is set to now when the cron or the zone changes", async () => {
  await apply("a", asset, schedule("0 3 * * *"));
  expect(await row()).toMatchObject({ cadence: "0 3 * * * UTC", marked: false });
  await mark();
  await apply("a", asset, schedule("0 3 * * *", { timezone: "Europe/Berlin" }));
  expect(await row()).toMatchObject({ cadence: "0 3 * * * Europe/Berlin", marked: false });
});

test("a schedule that vanishes is retired, and begins anew when it comes back", async () => {
  await apply("a", asset);
  expect(await row()).toMatchObject({ retired: true });
  await mark();
  await apply("a", asset, schedule("0 3 * * *", { timezone: "Europe/Berlin" }));
  expect(await row()).toMatchObject({ retired: false, marked: false });
  await mark();
  await withTransaction(db.pool, (tx) => removeLocation(tx, "a", "a"));
  expect(await row()).toMatchObject({ retired: true });
});

test("a schedule that moves to another location of its team goes on from where it was", async () => {
  await apply("a", asset, schedule());
  await apply("a-two", schedule());
  await mark();
  expect(await row()).toMatchObject({ location: "a" });
  await apply("a", asset);
  expect(await row()).toMatchObject({ location: "a-two", retired: false, marked: true });
});

test("a sensor has a row too, and one that comes back goes on from its cursor", async () => {
  const sensor = sensorOf("a/files", ["a/x"]);
  const stored = async () => {
    const { rows } = await db.pool.query<{ kind: string; cursor: string | null; retired: boolean }>(
      "select kind, cursor, retired_at is not null as retired from automations where name = 'a/files'",
    );
    return rows[0];
  };
  await apply("a", asset, sensor);
  expect(await stored()).toEqual({ kind: "sensor", cursor: null, retired: false });
  await db.pool.query("update automations set cursor = '7' where name = 'a/files'");
  await apply("a", asset);
  expect(await stored()).toEqual({ kind: "sensor", cursor: "7", retired: true });
  await apply("a", asset, sensor);
  expect(await stored()).toEqual({ kind: "sensor", cursor: "7", retired: false });
  // One whose target is gone is refused, and asks for nothing.
  await apply("a", sensor);
  expect(await stored()).toMatchObject({ retired: true });
});
