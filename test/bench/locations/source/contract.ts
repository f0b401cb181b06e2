import { assetSpec } from "@headgate/sdk";

const count = Number(process.env["HEADGATE_BENCH_ASSETS"] ?? 1);

/** Read in one run with its reader. */
export const stepSpec = assetSpec({ key: "source/step", export: true });

/** Each read by an asset with a condition of its own. */
export const sourceSpecs = Array.from({ length: count }, (_, n) =>
  assetSpec({ key: `source/a${String(n).padStart(5, "0")}`, export: true }),
);
