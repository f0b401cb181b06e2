// violates: locations-use-the-sdk
export type { Session as total } from "@headgate/sdk/serve";
