// B1: a chain of no-op assets, each with one passing blocking check. Nothing is stored, so that what is measured is the
// orchestrator.
import { type AnyAsset, type AnyAssetCheck, asset, assetCheck, definitions } from "@headgate/sdk";

const length = Number(process.env["HEADGATE_BENCH_ASSETS"] ?? 1000);
const assets: AnyAsset[] = [];
const checks: AnyAssetCheck[] = [];
let previous: AnyAsset | undefined;
for (let n = 0; n < length; n++) {
  const next: AnyAsset = asset({
    key: `chain/a${String(n).padStart(5, "0")}`,
    ...(previous === undefined ? {} : { deps: { previous } }),
    compute: () => undefined,
  });
  assets.push(next);
  checks.push(assetCheck({ asset: next, name: "passes", blocking: true, run: () => true }));
  previous = next;
}

export default definitions({ team: "chain", assets, checks });
