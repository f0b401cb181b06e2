import { assetSpec, valueOf } from "@headgate/sdk";

export const sample = assetSpec({ key: "lab/sample", value: valueOf<number>(), export: true });
