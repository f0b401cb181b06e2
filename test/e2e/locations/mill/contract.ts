import { assetSpec, valueOf } from "@headgate/sdk";

export const flour = assetSpec({ key: "mill/flour", value: valueOf<number>(), export: true });
