// B1: a chain of no-op assets, each with one passing blocking check. Nothing is stored, so that what is measured is the
// orchestrator.
import { type AnyAsset, type AnyAssetCheck, asset, assetCheck, definitions } from "@headgate/sdk";

const length = Number(process.env["HEADGATE_BENCH_ASSETS"] ?? 1000);
const assets: AnyAsset[] = [];
const checks: AnyAssetCheck[] = [];
for (let n = 0; n < length; n++) {
  const previous = assets.at(-1);
  const next = asset({
    key: `chain/a${String(n).padStart(5, "0")}`,
    // The type of an asset says what it reads, and this one reads a different one each time.
    ...(previous === undefined ? {} : { deps: { previous: previous as never } }),
    compute: () => undefined,
  });
  assets.push(next);
  checks.push(assetCheck({ asset: next, name: "passes", blocking: true, run: () => true }));
}

export default definitions({ team: "chain", assets, checks });
