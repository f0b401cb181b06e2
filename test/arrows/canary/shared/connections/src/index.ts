// violates: connections-on-the-sdk-root
export type { Session } from "@headgate/sdk/serve";
export type { AssetKey } from "@headgate/model";
export { hash } from "@headgate/sdk";
