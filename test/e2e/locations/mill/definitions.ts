import { setTimeout as delay } from "node:timers/promises";
import { json, objectStore } from "@headgate/connections";
import { asset, assetCheck, definitions, env, staticPartitions } from "@headgate/sdk";
import { note, throughDoor } from "../ledger.ts";
import { flour as contract } from "./contract.ts";

/** Tried again after a crash; given up by both sides after three seconds without contact. */
const flour = asset({
  ...contract,
  retry: { maxCrashes: 3, delayMs: 100 },
  attemptLeaseMs: 3_000,
  compute: async (_inputs, context) => {
    await throughDoor("flour", context);
    return 25;
  },
});

const flourIsThere = assetCheck({ asset: flour, name: "some", blocking: true, run: (kilograms) => kilograms > 0 });

/** Not tried again. */
const bran = asset({
  key: "mill/bran",
  retry: { maxCrashes: 0 },
  attemptLeaseMs: 3_000,
  compute: async (_inputs, context) => {
    await throughDoor("bran", context);
    return 5;
  },
});

const halves = staticPartitions(["early", "late"]);

/** Waits at its own door; keeps its lease, like all that follow, for longer than any test takes. */
const behindDoor = (name: string) =>
  asset({
    key: `mill/${name}`,
    compute: async (_inputs, context) => {
      await throughDoor(name, context);
      return 1;
    },
  });

const oil = asset({
  key: "mill/oil",
  partitions: halves,
  retry: { maxCrashes: 0 },
  compute: async (_inputs, context) => {
    await throughDoor(`oil-${context.partition.key}`, context);
    return 1;
  },
});

const bottles = asset({
  key: "mill/bottles",
  partitions: halves,
  deps: { oil },
  compute: ({ oil }, context) => {
    note("start", context);
    note("end", context);
    return oil * 2;
  },
});

/** Many short steps, two for each sack: enough for something to be under way whenever a test strikes. */
const sacks = staticPartitions(Array.from({ length: 40 }, (_, index) => `sack-${index}`));
const stepMs = 30;

const grain = asset({
  key: "mill/grain",
  partitions: sacks,
  compute: async (_inputs, context) => {
    note("start", context);
    await delay(stepMs);
    note("end", context);
    return 50;
  },
});

const clean = assetCheck({ asset: grain, name: "clean", blocking: true, run: (kilograms) => kilograms > 0 });

const meal = asset({
  key: "mill/meal",
  partitions: sacks,
  deps: { grain },
  compute: async ({ grain }, context) => {
    note("start", context);
    await delay(stepMs);
    note("end", context);
    return grain - 1;
  },
});

export default definitions({
  team: "mill",
  io: json({ store: objectStore(env("HEADGATE_OBJECT_STORE")) }),
  assets: [flour, bran, oil, bottles, grain, meal, ...["sieve", "grist", "husk"].map(behindDoor)],
  checks: [flourIsThere, clean],
});
