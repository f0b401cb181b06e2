import { z } from "zod";
import {
  allPartitions,
  asset,
  assetCheck,
  assetSpec,
  monthlyPartitions,
  multiAsset,
  orderOnly,
  resource,
  staticPartitions,
} from "@headgate/sdk";
import type { JsonValue, Partitioned } from "@headgate/sdk";
import { materialize, partitioned, runCheck, testContext } from "@headgate/sdk/testing";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_proof: Equal<A, B>): void {}

const monthly = monthlyPartitions({ start: "2001-01" });
const raw = assetSpec({ key: "shop/raw", value: z.array(z.number()), partitions: monthly });
const rates = resource({ create: () => ({ eur: (cents: number) => cents / 100 }) });
const sales = asset({
  key: "shop/sales",
  deps: { raw, months: allPartitions(raw) },
  partitions: monthly,
  resources: { rates },
  config: z.object({ factor: z.number().default(1) }),
  compute: ({ raw }, { config }) => ({ total: raw.length * config.factor }),
});
const positive = assetCheck({ asset: sales, name: "positive", resources: { rates }, run: ({ total }) => total > 0 });
const whole = asset({ key: "shop/whole", deps: { after: orderOnly(sales) }, compute: () => 1 });
const region = asset({ key: "shop/region", partitions: staticPartitions(["eu", "us"]), compute: () => "x" });

const inputs = { raw: [1], months: { "2001-01": [1] } };
const made = await materialize(sales, { inputs, partition: "2001-01", config: {} });
same<typeof made.value, { total: number }>(true);
same<(typeof made.metadata)["rows"], JsonValue>(true);
same<ReturnType<typeof partitioned<number>>, Partitioned<number>>(true);
// What is given may be several partitions as they come to compute, too.
await materialize(sales, { inputs: { raw: [1], months: partitioned({ "2001-01": [1] }) }, partition: "2001-01" });
// An order-only dependency is no input.
const one = await materialize(whole);
same<typeof one.value, number>(true);
await materialize(region, { partition: "eu" });
const outcome = await runCheck(positive, { total: 1 }, { partition: "2001-01" });
same<typeof outcome.outcome, "passed" | "warned" | "failed" | "errored">(true);
// Several assets, as before.
const several = await materialize([sales, whole], { values: {} });
same<ReturnType<typeof several.value<typeof sales>>, { total: number }>(true);

// Each of these must not compile, and the message must say what to do.

// @ts-expect-error Property 'inputs' is missing
await materialize(sales, { partition: "2001-01" });
// @ts-expect-error Property 'partition' is missing
await materialize(sales, { inputs });
// @ts-expect-error Property 'months' is missing
await materialize(sales, { inputs: { raw: [1] }, partition: "2001-01" });
// @ts-expect-error Type 'string' is not assignable to type 'number'
await materialize(sales, { inputs: { ...inputs, raw: ["1"] }, partition: "2001-01" });
// @ts-expect-error 'rwa' does not exist
await materialize(sales, { inputs: { ...inputs, rwa: [1] }, partition: "2001-01" });
// @ts-expect-error Type 'string' is not assignable to type 'number'
await materialize(sales, { inputs, partition: "2001-01", config: { factor: "2" } });
// @ts-expect-error Type 'number' is not assignable to type '{ eur: (cents: number) => number; }'
await materialize(sales, { inputs, partition: "2001-01", resources: { rates: 3 } });
// @ts-expect-error This asset is not partitioned: leave `partition` out.
await materialize(whole, { partition: "2001-01" });
// @ts-expect-error This asset takes no config: give it `config`, a Standard Schema of an object.
await materialize(whole, { config: { factor: 1 } });
// @ts-expect-error Type '"asia"' is not assignable to type '"eu" | "us"'
await materialize(region, { partition: "asia" });
// @ts-expect-error Property 'total' is missing
await runCheck(positive, {}, { partition: "2001-01" });
// @ts-expect-error Expected 3 arguments, but got 2
await runCheck(positive, { total: 1 });
// @ts-expect-error Type 'string' is not assignable to type 'number'
testContext(sales, { partition: "2001-01", config: { factor: "2" } });

const daily = assetSpec({ key: "shop/daily", value: z.array(z.number()), partitions: monthly });
const rest = assetSpec({ key: "shop/rest", partitions: monthly });
const split = multiAsset({
  assets: { daily, rest },
  deps: { raw },
  compute: ({ raw }) => ({ daily: raw, rest: 1 }),
});
const halves = await materialize(split, { inputs: { raw: [1] }, partition: "2001-01" });
same<typeof halves.daily.value, number[]>(true);
const parts = multiAsset({ assets: { daily, rest }, canSubset: true, compute: () => ({}) });
const some = await materialize(parts, { partition: "2001-01", selected: ["rest"] });
same<typeof some.daily extends undefined ? true : false, false>(true);
const all = await materialize([split, sales, parts], {});
same<ReturnType<typeof all.partition> extends undefined ? true : false, false>(true);

// @ts-expect-error Property 'inputs' is missing
await materialize(split, { partition: "2001-01" });
// @ts-expect-error This multi-asset makes all or none
await materialize(split, { inputs: { raw: [] }, partition: "2001-01", selected: ["rest"] });
// @ts-expect-error Type '"rset"' is not assignable
await materialize(parts, { partition: "2001-01", selected: ["rset"] });
