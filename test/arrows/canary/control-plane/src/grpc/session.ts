import type { WireMessage } from "@headgate/proto";
import { Client } from "@grpc/grpc-js";
export const session = (message: WireMessage) => [message, Client];
