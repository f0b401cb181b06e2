import { z } from "zod";
import {
  asset,
  assetCheck,
  dailyPartitions,
  definitions,
  ioManager,
  multiAsset,
  assetSpec,
  self,
  staticPartitions,
  valueOf,
  windowOffset,
} from "@headgate/sdk";
import type { ByPartition, Partitioned, PartitionWindow } from "@headgate/sdk";
import { materialize } from "@headgate/sdk/testing";
import type { MaterializedAsset } from "@headgate/sdk/testing";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_proof: Equal<A, B>): void {}

const daily = dailyPartitions({ start: "2026-01-01" });
const regions = staticPartitions(["eu", "us"]);
const batch = { partitionsMax: 31 };
const Total = z.object({ cents: z.string().transform(Number) });
const orders = asset({ key: "shop/orders", partitions: daily, compute: () => [{ cents: 2 }] });
const rates = asset({ key: "shop/rates", compute: () => ({ eur: 1 }) });

// What is declared: each input is there for each partition, and compute returns a Map.
export const totals = asset({
  key: "shop/totals",
  partitions: daily,
  batch: { partitionsMax: 31 },
  value: Total,
  deps: { orders, week: windowOffset(orders, -6, 0), rates },
  config: z.object({ factor: z.number().default(1) }),
  checks: { counted: { blocking: true } },
  compute: ({ orders, week, rates }, { partitions, config, runId }) => {
    same<typeof orders, ByPartition<{ cents: number }[]>>(true);
    same<typeof week, ByPartition<Partitioned<{ cents: number }[]>>>(true);
    same<typeof rates, ByPartition<{ eur: number }>>(true);
    same<typeof config.factor, number>(true);
    same<typeof runId, string>(true);
    const values = new Map<string, { cents: string }>();
    for (const { key, window, inputs, metadata, check, fail } of partitions) {
      same<typeof key, string>(true);
      same<typeof window, PartitionWindow>(true);
      same<keyof typeof inputs, "orders" | "week" | "rates">(true);
      metadata({ rows: orders.get(key).length });
      check("counted", true);
      if (orders.get(key).length === 0) fail(new Error("no orders"));
      values.set(key, { cents: String(week.get(key).size) });
    }
    return values;
  },
});

// What is inferred: readers and checks receive the value of one partition.
export const counts = asset({
  key: "shop/counts",
  partitions: regions,
  batch,
  compute: async (_inputs, { partitions }) => {
    same<(typeof partitions)[number]["key"], "eu" | "us">(true);
    return new Map(partitions.map(({ key }) => [key, key.length]));
  },
});
export const reader = asset({
  key: "shop/reader",
  partitions: regions,
  deps: { counts },
  compute: ({ counts }) => {
    same<typeof counts, number>(true);
    return counts + 1;
  },
});
export const check = assetCheck({ asset: totals, name: "some", run: ({ cents }) => cents > 0 });
export const all = definitions({ team: "shop", assets: [orders, rates, totals, counts, reader], checks: [check] });

// The IO manager takes the value of one partition.
const numbers = ioManager({
  schemes: ["n"],
  write: (_value: number) => ({ scheme: "n", place: "", mediaType: "text/plain" }),
  read: () => 1,
});
export const kept = asset({
  key: "shop/kept",
  partitions: regions,
  batch,
  io: numbers,
  compute: (_inputs, { partitions }) => new Map(partitions.map(({ key }) => [key, 1])),
});

// A test gives each input for each partition and gets each value.
export async function tested() {
  const made = await materialize(totals, {
    partitions: ["2026-01-01", "2026-01-02"],
    inputs: {
      orders: { "2026-01-01": [{ cents: 1 }], "2026-01-02": [] },
      week: { "2026-01-01": { "2026-01-01": [] }, "2026-01-02": { "2026-01-02": [] } },
      rates: new Map([["2026-01-01", { eur: 1 }]]),
    },
  });
  same<typeof made, ByPartition<MaterializedAsset<{ cents: number }>>>(true);
  // @ts-expect-error 'partition' does not exist
  await materialize(counts, { partition: "eu" });
  // @ts-expect-error Type '"asia"' is not assignable to type '"eu" | "us"'
  await materialize(counts, { partitions: ["asia"] });
}

// Each of these must not compile, and the message must say what to do.

const by = { partitions: daily, batch };
// @ts-expect-error give it `partitions`, or leave `batch` out
asset({ key: "shop/x", batch: { partitionsMax: 2 }, compute: () => new Map<string, number>() });
const number = valueOf<number>();
const deps = { previous: windowOffset(self, -1) };
// @ts-expect-error Partitions of an asset that reads itself wait for one another: leave `batch` out
asset({ key: "shop/x", ...by, value: number, deps, compute: () => new Map<string, number>() });
// @ts-expect-error Type 'number' is not assignable to type
asset({ key: "shop/x", ...by, compute: () => 3 });
// @ts-expect-error Type 'Map<string, string>' is not assignable to type 'ReadonlyMap<string, number>'
asset({ key: "shop/x", ...by, value: number, compute: () => new Map([["2026-01-01", "x"]]) });
// @ts-expect-error Property 'partition' does not exist
asset({ key: "shop/x", ...by, compute: (_inputs, { partition }) => new Map([[partition, 1]]) });
// @ts-expect-error 'maxPartitions' does not exist
asset({ key: "shop/x", partitions: daily, batch: { maxPartitions: 2 }, compute: () => new Map<string, number>() });
// @ts-expect-error 'batch' does not exist
multiAsset({ assets: { x: assetSpec({ key: "shop/x" }) }, batch, compute: () => ({ x: 1 }) });
asset({
  key: "shop/x",
  ...by,
  compute: (_inputs, { partitions: [first] }) => {
    // @ts-expect-error declare them, checks: { name: { blocking: true } }
    first?.check("b", true);
    return new Map<string, number>();
  },
});
// @ts-expect-error Type 'string' is not assignable to type 'number'
asset({ key: "shop/x", partitions: regions, batch, io: numbers, compute: () => new Map([["eu", "text"]]) });
