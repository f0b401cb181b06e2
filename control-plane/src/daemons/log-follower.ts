import type { AssetKey } from "@headgate/model";
import type { Kysely } from "kysely";
import { eventBounds, readEvents } from "../storage/events-read.ts";
import type { Notifications } from "../storage/notifications.ts";
import type { Schema } from "../storage/schema.ts";

/** What others have written to the log since the last look. */
export interface LogNews {
  readonly assets: ReadonlySet<AssetKey>;
  readonly definitionsChanged: boolean;
  /** A pool has more slots, or fewer. */
  readonly poolsChanged: boolean;
}

export interface LogFollowerOptions {
  readonly db: Kysely<Schema>;
  readonly notifications: Pick<Notifications, "subscribe">;
  readonly news: (news: LogNews) => void;
  readonly failed: (error: unknown) => void;
}

const pageSize = 1_000;
/** Without a hint the log is looked at this often. */
const pollMs = 1_000;

/** After these the asset graph is another one. */
const changesGraph = new Set(["definitions_changed", "partitions_added", "partitions_removed"]);

/** Follows the event log for a daemon: what it wrote itself it skips without reading it. */
export class LogFollower {
  readonly #options: LogFollowerOptions;
  #position = 0;
  /** Written by this daemon and not passed yet. */
  readonly #own: { readonly first: number; readonly last: number }[] = [];
  #reading: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(options: LogFollowerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#unsubscribe = await this.#options.notifications.subscribe("headgate_events", (payload) => {
      if (payload === undefined || payload === "" || Number(payload) > this.#position) this.#look();
    });
    this.#position = (await eventBounds(this.#options.db)).newest;
    this.#timer = setInterval(() => this.#look(), pollMs);
  }

  /** This daemon appended `first` to `last` itself, and knows what they say. */
  advance(first: number, last: number): void {
    this.#own.push({ first, last });
    if (this.#reading !== undefined) return;
    this.#skipOwn();
    if (this.#own.length > 0) this.#look(); // Others have written in between.
  }

  /** Passes over what this daemon wrote next, unread. */
  #skipOwn(): void {
    let next = this.#own.findIndex(({ first }) => first <= this.#position + 1);
    while (next >= 0) {
      const [range] = this.#own.splice(next, 1);
      if (range !== undefined) this.#position = Math.max(this.#position, range.last);
      next = this.#own.findIndex(({ first }) => first <= this.#position + 1);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#unsubscribe?.();
    await this.#reading;
  }

  #look(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
      this.#skipOwn();
      if (this.#again || this.#own.length > 0) this.#look();
    });
  }

  async #read(): Promise<void> {
    this.#again = false;
    try {
      const events = await readEvents(this.#options.db, this.#position, pageSize);
      const last = events.at(-1);
      if (last === undefined) return;
      this.#position = last.seq;
      const others = events.filter(({ seq }) => !this.#own.some(({ first, last }) => first <= seq && seq <= last));
      const assets = new Set<AssetKey>();
      for (const event of others) if (event.asset_key !== null) assets.add(event.asset_key as AssetKey);
      const definitionsChanged = others.some(({ kind }) => changesGraph.has(kind));
      const poolsChanged = others.some(({ kind }) => kind === "pool_set");
      if (events.length === pageSize) this.#again = true;
      if (others.length > 0) this.#options.news({ assets, definitionsChanged, poolsChanged });
    } catch (error) {
      this.#options.failed(error);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
