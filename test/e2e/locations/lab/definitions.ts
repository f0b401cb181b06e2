import { existsSync } from "node:fs";
import { join } from "node:path";
import { json, objectStore } from "@headgate/connections";
import { asset, assetCheck, definitions, env, Permanent } from "@headgate/sdk";
import { throughDoor } from "../ledger.ts";
import * as contract from "./contract.ts";

const doorIsOpen = (name: string) => existsSync(join(process.env["LEDGER"] ?? "", "doors", name));

const flaky = asset({
  key: "lab/flaky",
  retry: { maxRetries: 3, delayMs: 20 },
  compute: (_inputs, { attemptNumber, log }) => {
    console.log(`printed by attempt ${attemptNumber}`);
    console.error(`complained by attempt ${attemptNumber}`);
    log.info("logged", { attempt: attemptNumber });
    if (attemptNumber < 3) throw new Error(`attempt ${attemptNumber} went wrong`);
    return attemptNumber;
  },
});

const hopeless = asset({
  key: "lab/hopeless",
  retry: { maxRetries: 3, delayMs: 20 },
  compute: () => {
    throw new Permanent("the source is gone for good");
  },
});

const overdue = asset({
  key: "lab/overdue",
  timeoutMs: 300,
  compute: (_inputs, context) => throughDoor("overdue", context),
});

const endless = asset({ key: "lab/endless", compute: (_inputs, context) => throughDoor("endless", context) });

const first = asset({ key: "lab/first", compute: () => 1 });
const second = asset({
  key: "lab/second",
  deps: { first },
  compute: ({ first }) => {
    if (!doorIsOpen("second")) throw new Error("the second is not ready yet");
    return first + 1;
  },
});
const third = asset({ key: "lab/third", deps: { second }, compute: ({ second }) => second + 1 });

const sample = asset({ ...contract.sample, compute: () => 1_000 });
const positive = assetCheck({ asset: sample, name: "positive", blocking: true, run: (value) => value > 0 });
const own = asset({ key: "lab/own", deps: { sample }, compute: ({ sample }) => sample / 2 });

const spoilt = asset({
  key: "lab/spoilt",
  compute: (_inputs, { metadata }) => {
    metadata({ note: "before\u0000after", half: "\ud800" });
    return 1;
  },
});

export default definitions({
  team: "lab",
  io: json({ store: objectStore(env("HEADGATE_OBJECT_STORE")) }),
  assets: [flaky, hopeless, overdue, endless, first, second, third, sample, own, spoilt],
  checks: [positive],
});
