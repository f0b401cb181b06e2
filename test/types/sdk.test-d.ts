import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import {
  allPartitions,
  asset,
  assetCheck,
  assetChecks,
  assetSpec,
  dailyPartitions,
  definitions,
  dynamicPartitions,
  externalAsset,
  ioManager,
  lastPartition,
  lastValidated,
  mappedDimensions,
  monthlyPartitions,
  multiPartitions,
  orderOnly,
  resource,
  secret,
  self,
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

export const selfChecked = asset({
  ...orders,
  deps: { rates },
  checks: { not_empty: { blocking: true }, tidy: { severity: "WARN" } },
  compute: ({ rates }, { check, partition }) => {
    same<Parameters<typeof check>[0], "not_empty" | "tidy">(true);
    check("not_empty", true);
    check("tidy", { passed: rates.eur > 0, metadata: { key: partition.key } });
    return [{ id: partition.key, cents: rates.eur }];
  },
});
same<ValueOfAsset<typeof selfChecked>, { id: string; cents: number }[]>(true);

const byValibot = asset({
  key: "orders/by_valibot",
  value: v.array(v.object({ id: v.string() })),
  config: v.object({ days: v.pipe(v.string(), v.transform(Number)) }),
  compute: (_inputs, { config }) => {
    same<typeof config, { days: number }>(true);
    return [{ id: String(config.days) }];
  },
});
same<ValueOfAsset<typeof byValibot>, { id: string }[]>(true);
const byArktype = asset({
  key: "orders/by_arktype",
  value: type({ id: "string" }).array(),
  config: type({ days: "string.numeric.parse" }),
  compute: (_inputs, { config }) => {
    same<typeof config, { days: number }>(true);
    return [{ id: String(config.days) }];
  },
});
same<ValueOfAsset<typeof byArktype>, { id: string }[]>(true);

export const withIo = asset({
  ...relation,
  io: relations,
  compute: (_inputs, { inputs }) => {
    same<keyof typeof inputs, never>(true);
    return { rows: 3 };
  },
});

const landed = externalAsset({ key: "orders/landed", value: z.array(Order), partitions: daily });
const lake = externalAsset({ key: "orders/lake", unversioned: true });
const seen = externalAsset({ key: "orders/seen", checks: { audit: { blocking: true } } });
same<ValueOfAsset<typeof landed>, { id: string; cents: number }[]>(true);
same<ValueOfAsset<typeof lake>, undefined>(true);
same<ValueOfAsset<typeof seen>, unknown>(true);
export const readsExternal = asset({
  key: "orders/reads_external",
  partitions: daily,
  deps: { landed, lake, yesterday: windowOffset(landed, -1), after: orderOnly(seen) },
  compute: (inputs) => {
    same<keyof typeof inputs, "landed" | "lake" | "yesterday">(true);
    same<typeof inputs.lake, undefined>(true);
    return inputs.landed.length + inputs.yesterday.length;
  },
});
export const landedCheck = assetCheck({ asset: landed, name: "some", run: (rows) => rows.length > 0 });

export const check = assetCheck({
  asset: revenue,
  name: "positive",
  blocking: true,
  run: ({ net }, { partition }) => ({ passed: net >= 0, metadata: { net, key: partition.key } }),
});
export const several = assetChecks({
  asset: revenue,
  checks: { positive_net: { blocking: true, version: 2 }, plausible: { severity: "WARN" } },
  timeoutMs: 1_000,
  resources: { warehouse },
  run: async ({ net }, { partition, resources }) => {
    same<typeof net, number>(true);
    return {
      positive_net: net >= 0,
      plausible: { passed: net < (await resources.warehouse.query()), metadata: { key: partition.key } },
    };
  },
});
export const all = definitions({
  team: "orders",
  io: ioManager({ write: () => ({ scheme: "a", place: "b", mediaType: "c" }), read: () => 1 }),
  assets: [revenue, implemented, withIo, rates, regions, landed, lake, seen, readsExternal],
  checks: [check, landedCheck, several],
});

export const running = asset({
  key: "orders/running",
  value: z.object({ cents: z.int() }),
  partitions: daily,
  deps: {
    orders,
    previous: windowOffset(self, -1),
    week: lastValidated(windowOffset(self, -7, -1)),
    done: orderOnly(windowOffset(self, -1)),
  },
  compute: ({ orders, previous, week, ...rest }) => {
    same<typeof previous, { cents: number } | undefined>(true);
    same<typeof week, Partitioned<{ cents: number }>>(true);
    same<keyof typeof rest, never>(true);
    return { cents: orders.reduce((sum, order) => sum + order.cents, previous?.cents ?? 0) };
  },
});
export const declared = asset({
  ...relation,
  deps: { previous: windowOffset(self, -1) },
  compute: ({ previous }) => ({ rows: (previous?.rows ?? 0) + 1 }),
});
// An order-only dependency on itself needs no value: nothing of it is read.
asset({ key: "orders/log", partitions: daily, deps: { done: orderOnly(windowOffset(self, -1)) }, compute: () => 1 });

const region = staticPartitions(["eu", "us"]);
const regionMonth = multiPartitions({ region, month: monthly });
const sales = assetSpec({ key: "orders/sales", value: valueOf<Relation>(), partitions: regionMonth });
const tiers = multiPartitions({ tier: staticPartitions(["free", "paid"]), month: monthly, region });
export const bySeveral = asset({
  ...sales,
  deps: {
    relation,
    regions,
    orders,
    rates,
    previous: windowOffset(self, -1),
    others: mappedDimensions(self, { region: "all", month: { offset: -1 } }),
  },
  compute: (inputs, { partition }) => {
    same<typeof inputs.relation, Relation>(true);
    same<typeof inputs.regions, number>(true);
    same<typeof inputs.orders, Partitioned<{ id: string; cents: number }[]>>(true);
    same<typeof inputs.previous, Relation | undefined>(true);
    same<typeof inputs.others, Partitioned<Relation>>(true);
    same<typeof partition.dimensions, { readonly region: "eu" | "us"; readonly month: string }>(true);
    same<typeof partition.window.start, Date>(true);
    return { rows: 1 };
  },
});
export const ofSeveral = asset({
  key: "orders/of_several",
  partitions: monthly,
  deps: { sales, before: windowOffset(sales, -1), eu: mappedDimensions(sales, { region: { keys: {} } }) },
  compute: ({ sales, before, eu }) => {
    same<typeof sales, Partitioned<Relation>>(true);
    same<typeof before, Partitioned<Relation>>(true);
    return [...sales.values(), ...eu.values()].length;
  },
});
export const ofMore = asset({
  key: "orders/of_more",
  partitions: tiers,
  deps: { sales, before: windowOffset(sales, -1), latest: mappedDimensions(sales, { month: "last" }) },
  compute: ({ sales, before, latest }) => {
    same<typeof sales, Relation>(true);
    same<typeof before, Relation>(true);
    same<typeof latest, Partitioned<Relation>>(true);
    return sales.rows;
  },
});
const customers = dynamicPartitions({ name: "customers" });
const accounts = assetSpec({ key: "orders/accounts", value: valueOf<Relation>(), partitions: customers });
export const perCustomer = asset({
  key: "orders/per_customer",
  partitions: multiPartitions({ customer: dynamicPartitions({ name: "customers" }), region }),
  deps: { accounts, regions },
  compute: ({ accounts, regions }, { partition }) => {
    same<typeof accounts, Relation>(true);
    same<typeof regions, number>(true);
    same<typeof partition.dimensions.customer, string>(true);
    return 1;
  },
});
export const ofCustomers = asset({
  key: "orders/of_customers",
  partitions: customers,
  deps: { accounts, all: allPartitions(accounts) },
  compute: ({ accounts, all }, { partition }) => {
    same<typeof accounts, Relation>(true);
    same<typeof all, Partitioned<Relation>>(true);
    same<typeof partition.key, string>(true);
    return 1;
  },
});
const tierRegion = multiPartitions({ tier: staticPartitions(["free"]), region });
export const ofLess = asset({
  key: "orders/of_less",
  partitions: tierRegion,
  deps: { sales },
  compute: ({ sales }, { partition }) => {
    same<typeof sales, Partitioned<Relation>>(true);
    same<typeof partition.window, undefined>(true);
    return 1;
  },
});

// Conditions join, and what is said of a dependency is said of dependencies.
const eagerly = when.eager().or(when.onCron("0 6 * * *", "Europe/Berlin")).ignore([orders, rates]).allow("team:orders");
asset({ key: "orders/eager", automation: eagerly, compute: () => 1 });
asset({ key: "orders/own", automation: when.missing().and(when.failed().not()), compute: () => 1 });
const cautiously = when
  .anyDeps(when.updated())
  .and(when.allDeps(when.onItsWay().or(when.failed()).not()))
  .and(when.anyDeps(when.missing().or(when.checkFailed())).not())
  .since(when.newlyRequested())
  .newlyTrue();
asset({ key: "orders/cautious", automation: cautiously, compute: () => 1 });

// Each of these must not compile, and the message must say what to do.

// @ts-expect-error Type 'string' is not assignable to type 'AutomationCondition'
asset({ key: "orders/bad", automation: "eager", compute: () => 1 });
// @ts-expect-error Type 'UpdatedCondition' is missing the following properties
asset({ key: "orders/bad", automation: when.updated(), compute: () => 1 });
// @ts-expect-error Type 'DependencyCondition' is missing the following properties
asset({ key: "orders/bad", automation: when.onItsWay(), compute: () => 1 });
// @ts-expect-error Argument of type 'AutomationCondition' is not assignable to parameter of type 'OfDependency'
when.anyDeps(when.gateOpen());
// @ts-expect-error Argument of type 'AutomationCondition' is not assignable to parameter of type 'OfDependency'
when.allDeps(when.anyDeps(when.missing()));
// @ts-expect-error Property 'or' does not exist on type 'UpdatedCondition'
when.anyDeps(when.updated().or(when.missing()));

// @ts-expect-error Property 'second' is missing
assetChecks({ asset: revenue, checks: { first: {}, second: {} }, run: () => ({ first: true }) });
// @ts-expect-error Property 'gross' does not exist
assetChecks({ asset: revenue, checks: { first: {} }, run: ({ gross }) => ({ first: gross > 0 }) });
// @ts-expect-error Argument of type '"tidi"' is not assignable to parameter of type '"tidy"'
asset({ key: "orders/bad", checks: { tidy: {} }, compute: (_inputs, { check }) => check("tidi", true) });
// @ts-expect-error This asset reports no checks itself: declare them, checks: { name: { blocking: true } }.
asset({ key: "orders/bad", compute: (_inputs, { check }) => check("tidy", true) });
// @ts-expect-error is not assignable to parameter of type 'boolean | CheckResult'
asset({ key: "orders/bad", checks: { tidy: {} }, compute: (_inputs, { check }) => check("tidy", "yes") });
// @ts-expect-error 'block' does not exist
asset({ key: "orders/bad", checks: { tidy: { block: true } }, compute: () => 1 });
// @ts-expect-error 'compute' does not exist
externalAsset({ key: "orders/bad", compute: () => 1 });
// @ts-expect-error 'block' does not exist
externalAsset({ key: "orders/bad", checks: { audit: { block: true } } });
// @ts-expect-error Property 'gross' does not exist
assetCheck({ asset: landed, name: "x", run: ([first]) => first.gross > 0 });
// @ts-expect-error 'depz' does not exist
asset({ key: "orders/bad", depz: {}, compute: () => 1 });
// @ts-expect-error 'depz' does not exist
asset({ ...orders, depz: {}, compute: () => [] });
// @ts-expect-error 'number' is not assignable to type 'string'
asset({ ...orders, compute: () => [{ id: 1, cents: 2 }] });
// @ts-expect-error This asset is not partitioned: give it `partitions` to use `context.partition`.
asset({ key: "orders/bad", compute: (_inputs, { partition }) => partition.key });
// @ts-expect-error say which to read, with allPartitions(x), lastPartition(x), mappedPartitions(x, { ... }) or
asset({ key: "orders/bad", deps: { orders, regions }, partitions: daily, compute: () => 1 });
// @ts-expect-error windowOffset(x, n) needs time windows on both sides
asset({ key: "orders/bad", deps: { orders: windowOffset(orders, -1) }, compute: () => 1 });
// @ts-expect-error This asset takes no config: give it `config`, a Standard Schema of an object.
asset({ key: "orders/bad", compute: (_inputs, { config }) => config.x });
// A choosy IO manager, and a compute with inputs whose type the compiler does not know when it looks at `io` first.
const madeRelation = asset({ key: "orders/relation", io: relations, compute: () => ({ rows: 1 }) });
asset({ key: "orders/copy", io: relations, deps: { made: madeRelation }, compute: ({ made }) => made });
// @ts-expect-error Type 'string' is not assignable to type 'Relation'
asset({ key: "orders/bad", io: relations, deps: { made: madeRelation }, compute: ({ made }) => `${made.rows}` });
// @ts-expect-error Type 'string' is not assignable to type 'Relation'
asset({ key: "orders/bad", io: relations, compute: () => "text" });
// @ts-expect-error Property 'rows' is missing
asset({ ...orders, io: relations, compute: () => [] });
// @ts-expect-error Type 'number' is not assignable to type 'Dependency
asset({ key: "orders/bad", deps: { orders: 3 }, compute: () => [] });
// @ts-expect-error Property 'order' does not exist
asset({ key: "orders/bad", deps: { orders }, compute: ({ order }) => order });
// @ts-expect-error Property 'after' does not exist
asset({ key: "orders/bad", deps: { after: orderOnly(rates) }, compute: ({ after }) => after });
// @ts-expect-error 'blocked' does not exist
assetCheck({ asset: revenue, name: "x", blocked: true, run: () => true });
// @ts-expect-error Property 'gross' does not exist
assetCheck({ asset: revenue, name: "x", run: ({ gross }) => gross > 0 });
// @ts-expect-error Property 'missing' does not exist
asset({ key: "orders/bad", resources: { warehouse }, compute: (_inputs, { resources }) => resources.missing });
const bad = { key: "orders/bad", value: valueOf<number>(), partitions: daily };
// @ts-expect-error An asset reads earlier windows of itself alone: write windowOffset(self, -1)
asset({ ...bad, deps: { self }, compute: () => 1 });
// @ts-expect-error An asset reads earlier windows of itself alone: write windowOffset(self, -1)
asset({ ...bad, deps: { x: lastPartition(self) }, compute: () => 1 });
// @ts-expect-error An asset that reads itself needs time windows: give it `partitions`
asset({ key: "orders/bad", value: valueOf<number>(), deps: { x: windowOffset(self, -1) }, compute: () => 1 });
// @ts-expect-error The value of an asset that reads itself is not inferred: give it `value`
asset({ key: "orders/bad", partitions: daily, deps: { x: windowOffset(self, -1) }, compute: () => 1 });
// @ts-expect-error 'previous' is possibly 'undefined'
asset({ ...bad, deps: { previous: windowOffset(self, -1) }, compute: ({ previous }) => previous + 1 });
// @ts-expect-error say which to read, with allPartitions(x), lastPartition(x), mappedPartitions(x, { ... }) or mappedDimensions
asset({ key: "orders/bad", deps: { sales }, partitions: staticPartitions(["a"]), compute: () => 1 });
// @ts-expect-error say which to read
asset({ key: "orders/bad", deps: { sales }, partitions: multiPartitions({ a: region, b: region }), compute: () => 1 });
const otherKeys = multiPartitions({ region: staticPartitions(["mars"]), month: monthly });
// @ts-expect-error say which to read
asset({ key: "orders/bad", deps: { sales }, partitions: otherKeys, compute: () => 1 });
// @ts-expect-error The upstream has several dimensions and no last partition
asset({ key: "orders/bad", deps: { sales: lastPartition(sales) }, partitions: monthly, compute: () => 1 });
// @ts-expect-error windowOffset(x, n) needs time windows on both sides
asset({ key: "orders/bad", deps: { sales: windowOffset(sales, -1) }, partitions: tierRegion, compute: () => 1 });
// @ts-expect-error An asset that reads itself needs time windows
asset({ ...bad, partitions: tierRegion, deps: { x: windowOffset(self, -1) }, compute: () => 1 });
// @ts-expect-error 'area' does not exist
mappedDimensions(sales, { area: "all" });
// @ts-expect-error Property 'area' does not exist
asset({ key: "orders/bad", partitions: regionMonth, compute: (_inputs, { partition }) => partition.dimensions.area });
const others = dynamicPartitions({ name: "others" });
// @ts-expect-error say which to read
asset({ key: "orders/bad", deps: { accounts }, partitions: others, compute: () => 1 });
// @ts-expect-error 'keys' does not exist
dynamicPartitions({ name: "customers", keys: ["a"] });
