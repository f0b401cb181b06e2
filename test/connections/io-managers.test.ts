import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IoManager, Resource, ValueReference } from "@headgate/sdk";
import {
  bytes,
  duckdb,
  json,
  objectStore,
  parquetRelations,
  sql,
  text,
  values,
  type Relation,
} from "@headgate/connections";
import { collectGarbage } from "./collect-garbage.ts";
import { OpenResources } from "./io-context.ts";
import { refusal } from "./object-store-contract.ts";

const opened = new OpenResources();
const database = duckdb();
let folder: string;
let store: ReturnType<typeof objectStore>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "headgate-io-"));
  store = objectStore(pathToFileURL(folder).href);
});
afterAll(async () => {
  await opened.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function valueOf<T>(definition: Resource<T>): Promise<T> {
  return (await opened.open({ it: definition }))["it"] as T;
}

async function write(io: IoManager<never>, value: unknown, version = {}): Promise<ValueReference> {
  const context = await opened.ioContext(io, version);
  return (await io.write(value as never, context)) as ValueReference;
}

async function read(io: IoManager<never>, reference: ValueReference): Promise<unknown> {
  return await io.read(reference, await opened.ioContext(io));
}

describe("Parquet relations", () => {
  it("store the rows of a relation and read them as a relation over the stored file", async () => {
    const io = parquetRelations({ store, duckdb: database });
    const duck = await valueOf(database);
    const numbers = duck.relation(sql`select i as n, i % 3 = 0 as fizz from range(100_000) as r(i)`);
    const reference = await write(io, numbers, { partitionKey: "2001-01", versionId: "v1" });
    expect(reference).toMatchObject({
      scheme: "file",
      place: "team/asset/2001-01/v1.parquet",
      mediaType: "application/vnd.apache.parquet",
      digest: expect.stringMatching(/^sha256:/) as string,
    });
    const back = (await read(io, reference)) as Relation<{ n: number; fizz: boolean }>;
    expect(await back.count()).toBe(100_000);
    expect(await back.columns()).toEqual([
      { name: "n", type: "BIGINT" },
      { name: "fizz", type: "BOOLEAN" },
    ]);
    const top = duck.relation<{ n: number }>(sql`select n from ${back} where fizz order by n desc`);
    expect(await top.rows(2)).toEqual([{ n: 99_999 }, { n: 99_996 }]);
  });

  it("give the same bytes for the same rows, so that recomputing makes no reader stale", async () => {
    const io = parquetRelations({ store, duckdb: database });
    const file = createRequire(import.meta.url)
      .resolve("vega-datasets")
      .replace(/build.*/, "data/flights-3m.parquet");
    const month = sql`select * from read_parquet(${file}) where date < ${new Date("2001-02-01T00:00:00Z")}`;
    const duck = await valueOf(database);
    const first = await write(io, duck.relation(month));
    const second = await write(io, duck.relation(month));
    expect(second.digest).toBe(first.digest);
    expect(second.place).not.toBe(first.place);
  });

  it("move half a million rows without making objects of them", async () => {
    const io = parquetRelations({ store, duckdb: database });
    const duck = await valueOf(database);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const reference = await write(
      io,
      duck.relation(sql`select i, random() as x, md5(i::varchar) as t from range(500_000) r(i)`),
    );
    const back = (await read(io, reference)) as Relation;
    expect(await duck.relation(sql`select * from ${back}`).count()).toBe(500_000);
    // As objects they would take more than 50 MiB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20 * 2 ** 20);
  });

  it("refuse what is no relation, and leave nothing in the store when the query fails", async () => {
    const io = parquetRelations({ store, duckdb: database });
    await expect(write(io, [{ a: 1 }])).rejects.toEqual(refusal("value.not_relation"));
    const broken = (await valueOf(database)).relation(sql`select nope from range(1)`);
    await expect(write(io, broken, { versionId: "broken" })).rejects.toEqual(refusal("duckdb.query_failed"));
    const objects = await valueOf(store);
    expect(await objects.head("team/asset/2001-01/broken.parquet")).toBeUndefined();
  });
});

describe("JSON values", () => {
  it("come back as they were", async () => {
    const io = json({ store });
    const value = { text: "é\u0000", list: [1, 2.5, null, true, { deep: [] }], absent: undefined };
    const reference = await write(io, value);
    expect(reference.mediaType).toBe("application/json");
    expect(await read(io, reference)).toEqual(value);
  });

  it.each([
    [{ when: new Date(0) }, "value.when is a Date"],
    [{ list: [1, undefined] }, "value.list[1] is of type undefined"],
    [{ rate: Number.NaN }, "value.rate is NaN"],
    [new Map([["a", 1]]), "value is a Map"],
    [{ big: 1n }, "value.big is of type bigint"],
    [undefined, "value is of type undefined"],
  ])("are refused with their path where JSON would change them: %o", async (value, message) => {
    await expect(write(json({ store }), value)).rejects.toEqual(refusal("value.not_json"));
    await expect(write(json({ store }), value)).rejects.toThrow(message);
  });

  it("are refused when they contain themselves, and not when they share a part", async () => {
    const io = json({ store });
    const circle: { self?: unknown } = {};
    circle.self = circle;
    await expect(write(io, circle)).rejects.toThrow("value.self contains itself");
    const part = { a: 1 };
    expect(await read(io, await write(io, { left: part, right: part }))).toEqual({ left: part, right: part });
  });

  it("are refused beyond the size that was allowed", async () => {
    await expect(write(json({ store, sizeBytesMax: 10 }), "a long text")).rejects.toEqual(
      refusal("object_store.too_large"),
    );
  });
});

describe("Text values", () => {
  it("are stored as they are, under the media type and the extension that say what they are", async () => {
    const io = text({ store, mediaType: "text/markdown" });
    const reference = await write(io, "# Héadgate\n", { versionId: "report", partitionKey: "" });
    expect(reference).toMatchObject({ mediaType: "text/markdown", place: "team/asset/report.md" });
    expect(await readFile(join(folder, reference.place), "utf8")).toBe("# Héadgate\n");
    expect(await read(io, reference)).toBe("# Héadgate\n");
    await expect(write(io, 42)).rejects.toEqual(refusal("value.not_text"));
  });
});

describe("Bytes", () => {
  it("are stored as they are, and come back as a Uint8Array", async () => {
    const io = bytes({ store, mediaType: "image/png", extension: "png" });
    const reference = await write(io, Buffer.from([0, 255, 10]), { versionId: "plot", partitionKey: "" });
    expect(reference).toMatchObject({ mediaType: "image/png", place: "team/asset/plot.png", sizeBytes: 3 });
    expect(new Uint8Array((await read(io, reference)) as Uint8Array)).toEqual(new Uint8Array([0, 255, 10]));
    await expect(write(io, "text")).rejects.toEqual(refusal("value.not_bytes"));
    await expect(write(bytes({ store, sizeBytesMax: 2 }), Buffer.alloc(3))).rejects.toEqual(
      refusal("object_store.too_large"),
    );
  });
});

describe("Values of any kind", () => {
  it("are stored by what they are and read by what was stored", async () => {
    const io = values({ store, duckdb: database });
    const rows = (await valueOf(database)).relation(sql`select 42 as answer`);
    const [table, note, data] = [await write(io, rows), await write(io, "note"), await write(io, { a: 1 })];
    expect([table, note, data].map((reference) => reference.mediaType)).toEqual([
      "application/vnd.apache.parquet",
      "text/plain",
      "application/json",
    ]);
    expect(await ((await read(io, table)) as Relation).rows(1)).toEqual([{ answer: 42 }]);
    expect(await read(io, note)).toBe("note");
    expect(await read(io, data)).toEqual({ a: 1 });
  });

  it("of a media type that nobody here reads are refused in words", async () => {
    const io = values({ store, duckdb: database });
    const reference = { ...(await write(io, "note")), mediaType: "image/png" };
    await expect(read(io, reference)).rejects.toEqual(refusal("value.not_readable"));
  });
});
