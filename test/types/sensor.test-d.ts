import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { asset, definitions, dynamicPartitions, resource, sensor } from "@headgate/sdk";
import { evaluateSensor } from "@headgate/sdk/testing";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_proof: Equal<A, B>): void {}

const regions = dynamicPartitions({ name: "regions" });
const orders = asset({ key: "shop/orders", partitions: regions, compute: () => 1 });
const totals = asset({ key: "shop/totals", compute: () => "text" });
const folder = resource({ create: () => ({ list: async () => ["a"] }) });

export const typed = sensor({
  name: "shop/typed",
  targets: [orders, totals],
  cursor: z.object({ last: z.string() }).default({ last: "" }),
  resources: { folder },
  evaluate: async ({ cursor, resources, now, signal, log }) => {
    same<typeof cursor, { last: string }>(true);
    same<typeof now, Date>(true);
    signal.throwIfAborted();
    log.info("looked");
    const names: string[] = await resources.folder.list();
    return {
      requests: names.map((runKey) => ({ runKey, target: orders, partitions: "eu", tags: { runKey } })),
      cursor: { last: names.at(-1) ?? cursor.last },
      addPartitions: [{ set: regions, keys: names }],
    };
  },
});

// Of a schema that turns one type into another, what is returned is what it takes, and what is received what it gives.
export const converted = sensor({
  name: "shop/converted",
  targets: [totals],
  cursor: v.optional(v.pipe(v.string(), v.transform(Number)), "0"),
  evaluate: ({ cursor }) => {
    same<typeof cursor, number>(true);
    return { skip: `nothing after ${cursor}`, cursor: String(cursor + 1) };
  },
});

export const optional = sensor({
  name: "shop/optional",
  targets: [totals],
  cursor: type("string | undefined"),
  evaluate: ({ cursor }) => {
    same<typeof cursor, string | undefined>(true);
    return cursor === undefined ? { requests: [{}] } : undefined;
  },
});

export const plain = sensor({
  name: "shop/plain",
  targets: [totals],
  evaluate: ({ cursor }) => {
    // @ts-expect-error This sensor keeps no cursor
    cursor.toUpperCase();
    return { requests: [{ target: [totals] }] };
  },
});

export const withoutDefault = sensor({
  name: "shop/without_default",
  targets: [totals],
  // @ts-expect-error The first evaluation has no cursor
  cursor: z.string(),
  evaluate: () => undefined,
});

export const wrongCursor = sensor({
  name: "shop/wrong_cursor",
  targets: [totals],
  cursor: z.string().default(""),
  // @ts-expect-error Type 'number' is not assignable to type 'string'
  evaluate: () => ({ cursor: 1 }),
});

export const wrongTarget = sensor({
  name: "shop/wrong_target",
  targets: [totals],
  // @ts-expect-error is not assignable
  evaluate: () => ({ requests: [{ target: orders }] }),
});

export const both = sensor({
  name: "shop/both",
  targets: [totals],
  // @ts-expect-error is not assignable
  evaluate: () => ({ skip: "no", requests: [{ runKey: "a" }] }),
});

export default definitions({ team: "shop", assets: [orders, totals], sensors: [typed, converted, plain] });

export async function tested(): Promise<void> {
  const first = await evaluateSensor(typed, { resources: { folder: { list: async () => ["eu"] } } });
  same<typeof first.cursor, { last: string } | undefined>(true);
  // @ts-expect-error not assignable
  await evaluateSensor(typed, { cursor: "eu" });
}
