import { once } from "node:events";
import type { FastifyReply } from "fastify";
import type { EventTopics } from "../storage/events-read.ts";
import type { EventFeed } from "./event-feed.ts";
import { presentEvent } from "./present-run.ts";

const heartbeatMs = 15_000;
/** What an `EventSource` waits before it connects again. */
const retryMs = 1_000;

/**
 * Writes the log to one reader as server-sent events until it goes away: `event` is the kind, `id` the sequence number,
 * `data` the event. `reset` says that the log no longer reaches back to where the reader was.
 */
export async function streamEvents(
  feed: EventFeed,
  reply: FastifyReply,
  after: number,
  topics: EventTopics | undefined,
  closing: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  const response = reply.raw;
  response.on("close", () => gone.abort());
  const onClosing = () => gone.abort();
  closing.addEventListener("abort", onClosing, { once: true });
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) response.setHeader(name, value);
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  const write = async (text: string) => {
    if (!response.write(text)) await once(response, "drain", { signal: gone.signal });
  };
  const heartbeat = setInterval(() => {
    // Whoever does not read what was sent already is not helped by more of it.
    if (response.writableLength === 0) response.write(": heartbeat\n\n");
  }, heartbeatMs);
  try {
    await write(`retry: ${retryMs}\n: from ${after}\n\n`);
    for await (const item of feed.follow(after, topics, gone.signal)) {
      switch (item.kind) {
        case "reset":
          await write(`event: reset\nid: ${item.from}\ndata: ${JSON.stringify({ from: item.from })}\n\n`);
          break;
        case "events": {
          for (const event of item.events) {
            await write(`event: ${event.kind}\nid: ${event.seq}\ndata: ${JSON.stringify(presentEvent(event))}\n\n`);
          }
          break;
        }
      }
    }
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
    closing.removeEventListener("abort", onClosing);
    response.end();
  }
}
