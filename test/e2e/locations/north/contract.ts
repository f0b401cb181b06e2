import { assetSpec } from "@headgate/sdk";

export const hen = assetSpec({ key: "north/hen", export: true });
export const shared = assetSpec({ key: "north/shared" });
