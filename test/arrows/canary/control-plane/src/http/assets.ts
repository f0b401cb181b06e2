// violates: wire-stops-at-grpc
// violates: grpc-library-at-the-border
import type { WireMessage } from "@headgate/proto";
import { Metadata } from "@grpc/grpc-js";
export const asset = (message: WireMessage) => [message, Metadata];
