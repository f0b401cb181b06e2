// B2: one asset, many that read it, and one that reads those. Nothing is stored and nothing is checked.
import { type AnyAsset, asset, definitions } from "@headgate/sdk";

const width = Number(process.env["HEADGATE_BENCH_ASSETS"] ?? 10_000);

const root = asset({ key: "fan/root", compute: () => undefined });
const leaves: AnyAsset[] = [];
for (let n = 0; n < width; n++) {
  leaves.push(asset({ key: `fan/leaf${String(n).padStart(5, "0")}`, deps: { root }, compute: () => undefined }));
}
const sink = asset({
  key: "fan/sink",
  // The types of dependencies are those of each name; here the names are computed.
  deps: Object.fromEntries(leaves.map((leaf, n) => [`leaf${n}`, leaf])) as never,
  compute: () => undefined,
});

export default definitions({ team: "fan", assets: [root, ...leaves, sink] });
