import type { QueryClient } from "@tanstack/react-query";
import { authorization } from "../api/api-client.ts";
import { affectedQueries } from "./affected-queries.ts";
import { type HeadgateEvent, type LiveMessage, followEvents } from "./follow-events.ts";
import type { LiveGreeting } from "./live-worker.ts";
import { readLiveState, setLiveState } from "./live-state.ts";

/** A run of a thousand steps must not ask for its page a thousand times. */
const refreshEveryMs = 500;

/** Keeps the query cache true by the event stream, and the live state with it. */
export function startLive(client: QueryClient): void {
  let events: HeadgateEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let refreshedMs = 0;
  let lost = false;

  const refresh = () => {
    timer = undefined;
    refreshedMs = Date.now();
    const affected = affectedQueries(events);
    events = [];
    void client.invalidateQueries({ predicate: ({ queryKey }) => affected(queryKey) });
  };

  const hear = (message: LiveMessage) => {
    switch (message.kind) {
      case "connected":
        // The stream resumes without a gap; what failed meanwhile for want of a server is asked again.
        if (lost) void client.invalidateQueries();
        lost = false;
        return setLiveState({ connection: "live" });
      case "offline":
        lost ||= readLiveState().connection === "live";
        return setLiveState({ connection: "offline" });
      case "reset":
        return void client.invalidateQueries();
      case "events":
        events.push(...message.events);
        setLiveState({ seq: message.seq });
        // The first of a burst is shown at once.
        timer ??= setTimeout(refresh, Math.max(0, refreshedMs + refreshEveryMs - Date.now()));
    }
  };
  follow(hear);
}

function follow(hear: (message: LiveMessage) => void): void {
  const greeting: LiveGreeting = { headers: authorization() };
  if (typeof SharedWorker === "undefined") {
    void followEvents(greeting.headers, hear, new AbortController().signal);
    return;
  }
  const { port } = new SharedWorker(new URL("./live-worker.ts", import.meta.url), { type: "module", name: "live" });
  port.onmessage = ({ data }: MessageEvent<LiveMessage>) => hear(data);
  port.postMessage(greeting);
  addEventListener("pagehide", () => port.postMessage("bye"));
  // A page that comes back from the browser's cache of pages.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) location.reload();
  });
}
