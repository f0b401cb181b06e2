import type { ItemOf } from "../api/answers.ts";

export type HeadgateEvent = ItemOf<"listRunEvents">;

/** What a follower of the event stream is told. */
export type LiveMessage =
  | { readonly kind: "connected" }
  | { readonly kind: "events"; readonly events: readonly HeadgateEvent[]; readonly seq: number }
  /** The server no longer keeps the events since then: what is shown may be older than any event tells. */
  | { readonly kind: "reset" }
  | { readonly kind: "offline" };

/** Events that come close together are told together. */
const batchMs = 100;
const retryMsMax = 10_000;
/** The server sends a heartbeat every 15 s. A connection that says nothing for longer is dead, whatever TCP thinks. */
const silenceMsMax = 40_000;

/**
 * Follows the event stream until `signal` aborts: connects again by itself, from the last event that came, so that none
 * is missed. By `fetch` and not by `EventSource`, which sends no token.
 */
export async function followEvents(
  headers: Readonly<Record<string, string>>,
  tell: (message: LiveMessage) => void,
  signal: AbortSignal,
): Promise<void> {
  let last: string | undefined;
  let retryMs = 500;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const abort = () => attempt.abort();
    signal.addEventListener("abort", abort, { once: true });
    try {
      const response = await fetch("/api/v1/events", {
        headers: { ...headers, ...(last === undefined ? {} : { "last-event-id": last }) },
        signal: attempt.signal,
      });
      if (!response.ok || response.body === null) throw new Error(`the event stream answered ${response.status}`);
      tell({ kind: "connected" });
      retryMs = 500;
      last = await readStream(response.body, last, tell, abort);
    } catch {
      // Told below; the reason is the server's or the network's, and the next attempt finds out more.
    }
    signal.removeEventListener("abort", abort);
    if (signal.aborted) return;
    tell({ kind: "offline" });
    await new Promise((resolve) => setTimeout(resolve, retryMs));
    retryMs = Math.min(retryMs * 2, retryMsMax);
  }
}

/** Returns the id to resume from once the stream ends or falls silent. */
async function readStream(
  body: ReadableStream<Uint8Array>,
  resumedFrom: string | undefined,
  tell: (message: LiveMessage) => void,
  abort: () => void,
): Promise<string | undefined> {
  let last = resumedFrom;
  let batch: HeadgateEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    const seq = batch.at(-1)?.seq;
    if (seq !== undefined) tell({ kind: "events", events: batch, seq });
    batch = [];
  };
  let silence = setTimeout(abort, silenceMsMax);
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return last;
      clearTimeout(silence);
      silence = setTimeout(abort, silenceMsMax);
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const { event, id, data } = parseBlock(block);
        last = id ?? last;
        if (event === "reset") tell({ kind: "reset" });
        else if (data !== undefined) batch.push(JSON.parse(data) as HeadgateEvent);
      }
      timer ??= setTimeout(flush, batchMs);
    }
  } catch {
    return last;
  } finally {
    clearTimeout(silence);
    clearTimeout(timer);
    flush();
  }
}

function parseBlock(block: string): { event?: string; id?: string; data?: string } {
  const fields: Record<string, string> = {};
  for (const line of block.split("\n")) {
    const [, field = "", value = ""] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (field !== "") fields[field] = value;
  }
  return fields;
}
