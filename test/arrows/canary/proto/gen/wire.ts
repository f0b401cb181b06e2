import type { Client } from "@grpc/grpc-js";
export interface WireMessage {
  client: Client;
}
