import { type LiveMessage, followEvents } from "./follow-events.ts";

/*
 * One event stream for all tabs of a browser. HTTP/1.1 allows six connections to a server, so a stream a tab would hang
 * the seventh tab for good.
 */

/** What a tab says first, and again when its token changes. */
export interface LiveGreeting {
  readonly headers: Readonly<Record<string, string>>;
}

const ports = new Set<MessagePort>();
let following: { readonly headers: string; readonly controller: AbortController } | undefined;
let connected = false;

function tell(message: LiveMessage): void {
  if (message.kind === "connected") connected = true;
  if (message.kind === "offline") connected = false;
  for (const port of ports) port.postMessage(message);
}

function greet(port: MessagePort, { headers }: LiveGreeting): void {
  const key = JSON.stringify(headers);
  // A tab where nobody has signed in yet takes the stream from none that has.
  const takesAway = following !== undefined && headers["authorization"] === undefined;
  if (following?.headers === key || takesAway) {
    if (connected) port.postMessage({ kind: "connected" } satisfies LiveMessage);
    return;
  }
  following?.controller.abort();
  const controller = new AbortController();
  following = { headers: key, controller };
  void followEvents(headers, tell, controller.signal);
}

self.addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports;
  if (port === undefined) return;
  ports.add(port);
  port.onmessage = ({ data }: MessageEvent<LiveGreeting | "bye">) => {
    if (data === "bye") ports.delete(port);
    else greet(port, data);
  };
});
