// B8, the team upstream: assets with a passing blocking check, which the other team reads.
import { type AnyAssetCheck, asset, assetCheck, definitions } from "@headgate/sdk";
import { sourceSpecs, stepSpec } from "./contract.ts";

const assets = [stepSpec, ...sourceSpecs].map((spec) => asset({ ...spec, compute: () => undefined }));
const checks: AnyAssetCheck[] = assets.map((checked) =>
  assetCheck({ asset: checked, name: "passes", blocking: true, run: () => true }),
);

export default definitions({ team: "source", assets, checks });
