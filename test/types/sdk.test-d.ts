import { z } from "zod";
import {
  allPartitions,
  asset,
  assetCheck,
  assetSpec,
  dailyPartitions,
  definitions,
  ioManager,
  lastPartition,
  lastValidated,
  monthlyPartitions,
  orderOnly,
  resource,
  secret,
  staticPartitions,
  valueOf,
  when,
  windowOffset,
} from "@headgate/sdk";
import type { Partitioned, ValueOfAsset } from "@headgate/sdk";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_proof: Equal<A, B>): void {}

interface Relation {
  readonly rows: number;
}

const daily = dailyPartitions({ start: "2026-01-01", timezone: "UTC" });
const monthly = monthlyPartitions({ start: "2026-01-01" });
const Order = z.object({ id: z.string(), cents: z.int() });
const orders = assetSpec({ key: "orders/orders", value: z.array(Order), partitions: daily, export: true });
const relation = assetSpec({ key: "orders/relation", value: valueOf<Relation>(), partitions: monthly });
const rates = asset({ key: "orders/rates", compute: () => ({ eur: 1 }) });
const regions = asset({ key: "orders/regions", partitions: staticPartitions(["eu", "us"]), compute: () => 1 });
const warehouse = resource({ create: (context) => ({ url: context.read(secret("X")), query: async () => 3 }) });

same<ValueOfAsset<typeof orders>, { id: string; cents: number }[]>(true);
same<ValueOfAsset<typeof rates>, { eur: number }>(true);

const relations = ioManager<Relation>({
  write: (value) => ({ scheme: "file", place: String(value.rows), mediaType: "x" }),
  read: () => ({ rows: 1 }),
});

export const revenue = asset({
  key: "orders/revenue",
  partitions: daily,
  deps: {
    orders,
    rates,
    yesterday: windowOffset(orders, -1),
    week: windowOffset(orders, -6, 0),
    months: relation,
    all: lastValidated(allPartitions(orders, { require: { atLeast: 1 } })),
    other: allPartitions(lastValidated(orders)),
    last: lastPartition(orders),
    after: orderOnly(regions.key ? rates : rates),
    lastRegion: lastPartition(regions),
  },
  resources: { warehouse },
  config: z.object({ currency: z.enum(["EUR", "USD"]).default("EUR") }),
  automation: when.onMissing(),
  retry: { maxRetries: 3, backoff: "exponential" },
  timeoutMs: 60_000,
  compute: async (inputs, { partition, config, resources, metadata, log, signal }) => {
    same<
      keyof typeof inputs,
      "orders" | "rates" | "yesterday" | "week" | "months" | "all" | "other" | "last" | "lastRegion"
    >(true);
    same<typeof inputs.orders, { id: string; cents: number }[]>(true);
    same<typeof inputs.rates, { eur: number }>(true);
    same<typeof inputs.yesterday, { id: string; cents: number }[]>(true);
    same<typeof inputs.week, Partitioned<{ id: string; cents: number }[]>>(true);
    same<typeof inputs.months, Partitioned<Relation>>(true);
    same<typeof inputs.all, Partitioned<{ id: string; cents: number }[]>>(true);
    same<typeof inputs.other, Partitioned<{ id: string; cents: number }[]>>(true);
    same<typeof inputs.last, { id: string; cents: number }[]>(true);
    same<typeof inputs.lastRegion, number>(true);
    same<typeof partition.key, string>(true);
    same<typeof partition.window.start, Date>(true);
    same<typeof config, { currency: "EUR" | "USD" }>(true);
    same<typeof resources.warehouse.url, string>(true);
    metadata({ a: 1, b: { kind: "markdown", value: "x" }, when: new Date(), list: [1, 2] });
    log.info("x", { a: 1 });
    signal.throwIfAborted();
    return { net: await resources.warehouse.query() };
  },
});
same<ValueOfAsset<typeof revenue>, { net: number }>(true);

export const implemented = asset({
  ...orders,
  deps: { rates },
  compute: ({ rates }, { partition }) => [{ id: partition.key, cents: rates.eur }],
});
same<ValueOfAsset<typeof implemented>, { id: string; cents: number }[]>(true);

export const withIo = asset({
  ...relation,
  io: relations,
  compute: (_inputs, { inputs }) => {
    same<keyof typeof inputs, never>(true);
    return { rows: 3 };
  },
});

export const check = assetCheck({
  asset: revenue,
  name: "positive",
  blocking: true,
  run: ({ net }, { partition }) => ({ passed: net >= 0, metadata: { net, key: partition.key } }),
});
export const all = definitions({
  team: "orders",
  io: ioManager({ write: () => ({ scheme: "a", place: "b", mediaType: "c" }), read: () => 1 }),
  assets: [revenue, implemented, withIo, rates, regions],
  checks: [check],
});
