// violates: proto-stands-alone
export type { AssetKey } from "@headgate/model";
