import { setTimeout as delay } from "node:timers/promises";
import type { Kysely } from "kysely";
import { type EventRow, type EventTopics, eventBounds, fitsTopics, readEvents } from "../storage/events-read.ts";
import type { Notifications } from "../storage/notifications.ts";
import type { Schema } from "../storage/schema.ts";
import { deferred } from "./deferred.ts";

export type FeedItem =
  | { readonly kind: "events"; readonly events: readonly EventRow[] }
  /** The reader asked from before what is kept: it goes on from `from`, and must look at the present state first. */
  | { readonly kind: "reset"; readonly from: number };

/** Follows the event log for any number of readers, in commit order and without a gap. */
export interface EventFeed {
  /** The newest sequence number. */
  newest(): Promise<number>;
  /** Everything after `after`, as it comes, until `signal` aborts. Each reader goes at its own pace. */
  follow(
    after: number,
    topics: EventTopics | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<FeedItem, void, undefined>;
  close(): Promise<void>;
}

export interface EventFeedOptions {
  /** A notification is a hint; this often the log is looked at without one. Default 500. */
  readonly pollMs?: number;
}

const ringMax = 10_000;
/** Between two looks at the log lies at least this: what comes meanwhile is read together. */
const lookEveryMs = 20;
const pageSize = 1_000;
/** While the database is away. */
const retryMs = 500;

/** Opens the feed. As long as nobody follows, the log is not read. */
export async function openEventFeed(
  db: Kysely<Schema>,
  notifications: Pick<Notifications, "subscribe">,
  options: EventFeedOptions = {},
): Promise<EventFeed> {
  const feed = new LogFollower(db, options.pollMs ?? 500);
  await feed.open(notifications);
  return feed;
}

class LogFollower implements EventFeed {
  readonly #db: Kysely<Schema>;
  readonly #pollMs: number;
  /** The newest events, in order and without a gap. */
  #ring: EventRow[] = [];
  #newest = 0;
  #wake = deferred();
  #hint = deferred();
  #readers = 0;
  #awaited = deferred();
  #closed = false;
  #loop: Promise<void> | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(db: Kysely<Schema>, pollMs: number) {
    this.#db = db;
    this.#pollMs = pollMs;
  }

  async open(notifications: Pick<Notifications, "subscribe">): Promise<void> {
    this.#unsubscribe = await notifications.subscribe("headgate_events", () => this.#hint.resolve());
    this.#loop = this.#follow();
  }

  async newest(): Promise<number> {
    return (await eventBounds(this.#db)).newest;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe?.();
    this.#hint.resolve();
    this.#wake.resolve();
    this.#awaited.resolve();
    await this.#loop;
  }

  async #follow(): Promise<void> {
    while (!this.#closed) {
      let waitMs = this.#pollMs;
      if (this.#readers === 0) {
        await this.#awaited.promise;
        this.#awaited = deferred();
        continue;
      }
      try {
        const events = await readEvents(this.#db, this.#newest, pageSize);
        this.#take(events);
        if (events.length === pageSize) continue;
      } catch {
        // The database is away; readers keep their position and go on when it is back.
        waitMs = retryMs;
      }
      await settledOrAfter(this.#hint.promise, waitMs);
      this.#hint = deferred();
      await delay(lookEveryMs);
    }
  }

  #take(events: readonly EventRow[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    this.#ring = [...this.#ring, ...events].slice(-ringMax);
    this.#newest = last.seq;
    this.#wake.resolve();
    this.#wake = deferred();
  }

  async *follow(
    after: number,
    topics: EventTopics | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<FeedItem, void, undefined> {
    const { floor, newest } = await eventBounds(this.#db);
    if (this.#readers === 0) {
      // Nobody has read for a while: the ring ends where the log has gone on.
      this.#ring = [];
      this.#newest = newest;
    }
    this.#readers++;
    this.#awaited.resolve();
    try {
      yield* this.#followFrom(after, floor, topics, signal);
    } finally {
      this.#readers--;
    }
  }

  async *#followFrom(
    after: number,
    floor: number,
    topics: EventTopics | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<FeedItem, void, undefined> {
    let position = after;
    if (floor > 0 && position < floor - 1) {
      position = floor - 1;
      yield { kind: "reset", from: position };
    }
    while (!signal.aborted && !this.#closed) {
      const wake = this.#wake.promise;
      if (position >= this.#newest) {
        await untilAborted(wake, signal);
        continue;
      }
      const inRing = (this.#ring[0]?.seq ?? Infinity) <= position + 1;
      const reach = this.#newest;
      const events = inRing ? this.#fromRing(position, topics) : await readEvents(this.#db, position, pageSize, topics);
      const last = events.at(-1);
      // A short page from the log means that nothing up to `reach` fits any more.
      position = !inRing && events.length === pageSize ? (last?.seq ?? reach) : Math.max(reach, last?.seq ?? 0);
      if (events.length > 0) yield { kind: "events", events };
    }
  }

  #fromRing(after: number, topics: EventTopics | undefined): readonly EventRow[] {
    const first = this.#ring[0]?.seq ?? 0;
    return this.#ring.slice(after + 1 - first).filter((event) => fitsTopics(event, topics));
  }
}

async function settledOrAfter(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}

async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = deferred();
  const onAbort = () => aborted.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.removeEventListener("abort", onAbort);
}
