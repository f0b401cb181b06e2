import { json, objectStore } from "@headgate/connections";
import { asset, assetCheck, definitions, env } from "@headgate/sdk";
import { sample } from "../lab/contract.ts";

const plausible = assetCheck({
  asset: sample,
  name: "plausible",
  blocking: true,
  run: (value) => ({ passed: value < 100, metadata: { value, highest: 100 } }),
});
const report = asset({ key: "review/report", deps: { sample }, compute: ({ sample }) => `it is ${sample}` });

export default definitions({
  team: "review",
  io: json({ store: objectStore(env("HEADGATE_OBJECT_STORE")) }),
  assets: [report],
  checks: [plausible],
});
