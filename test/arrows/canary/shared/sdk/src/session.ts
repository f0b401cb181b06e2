import type { WireMessage } from "@headgate/proto";
export interface Session {
  send(message: WireMessage): void;
}
