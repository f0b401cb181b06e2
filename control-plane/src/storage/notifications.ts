import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";

/**
 * Called for each notification. `payload` is undefined after the connection was lost and is back: something may have
 * been missed, so look. Must not throw.
 */
export type NotificationListener = (payload: string | undefined) => void;

export interface Notifications {
  /**
   * Resolves once the server listens, so that whatever is committed afterwards is heard; while the database is away,
   * once it is back. The returned function ends the subscription.
   */
  subscribe(channel: string, listener: NotificationListener): Promise<() => void>;
  /**
   * Sends a hint soon: at most one notification a channel every 5 ms, the newest payload wins, and what cannot be sent
   * is dropped. A notification is a hint, with a slow poll behind it.
   */
  notifySoon(channel: string, payload: string): void;
  close(): Promise<void>;
}

export interface NotificationsOptions {
  readonly applicationName?: string;
  /** A connection that does not answer for this long is given up; default 15,000. */
  readonly pingMs?: number;
}

const backoffMinMs = 50;
const backoffMaxMs = 2_000;
const notifyEveryMs = 5;

/** Sends a notification with the transaction of `db`, or at once if there is none. Payload: at most 7,999 bytes. */
export async function notify(db: Pick<pg.Pool | pg.PoolClient, "query">, channel: string, payload = ""): Promise<void> {
  await db.query("select pg_notify($1, $2)", [channel, payload]);
}

/** LISTEN and NOTIFY on one connection of their own, which is replaced when it breaks. */
export function openNotifications(url: string, options: NotificationsOptions = {}): Notifications {
  return new NotificationConnection(url, options);
}

class NotificationConnection implements Notifications {
  readonly #config: pg.ClientConfig;
  readonly #pingMs: number;
  readonly #listeners = new Map<string, Set<NotificationListener>>();
  /** What `subscribe` waits for: channels on which the server listens over the present connection. */
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #listening = new Set<string>();
  readonly #outgoing = new Map<string, string>();
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  #client: pg.Client | undefined;
  #sendTimer: NodeJS.Timeout | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(url: string, options: NotificationsOptions) {
    this.#pingMs = options.pingMs ?? 15_000;
    this.#config = {
      connectionString: url,
      application_name: options.applicationName ?? "headgate notifications",
      connectionTimeoutMillis: 5_000,
      query_timeout: this.#pingMs,
      keepAlive: true,
    };
    this.#ended = this.#stayConnected();
  }

  async subscribe(channel: string, listener: NotificationListener): Promise<() => void> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    if (!this.#listening.has(channel)) {
      const heard = new Promise<void>((resolve) => {
        this.#waiting.set(channel, [...(this.#waiting.get(channel) ?? []), resolve]);
      });
      if (this.#client !== undefined) this.#listen(this.#client, channel);
      await heard;
    }
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#listeners.get(channel) !== listeners) return;
      this.#listeners.delete(channel);
      this.#listening.delete(channel);
      if (this.#client !== undefined) {
        void this.#query(this.#client, `unlisten ${pg.escapeIdentifier(channel)}`).catch(() => undefined);
      }
    };
  }

  notifySoon(channel: string, payload: string): void {
    this.#outgoing.set(channel, payload);
    this.#sendTimer ??= setTimeout(() => {
      this.#sendTimer = undefined;
      this.#send();
    }, notifyEveryMs);
  }

  async close(): Promise<void> {
    clearTimeout(this.#sendTimer);
    this.#send();
    this.#closing.abort();
    await this.#ended;
  }

  #send(): void {
    for (const [channel, payload] of this.#outgoing) {
      if (this.#client === undefined) break;
      void this.#query(this.#client, "select pg_notify($1, $2)", [channel, payload]).catch(() => undefined);
    }
    this.#outgoing.clear();
  }

  /** One statement after another: a client takes no second one while the first is under way. */
  #query(client: pg.Client, text: string, values?: unknown[]): Promise<unknown> {
    const sent = this.#queue.then(() => client.query(text, values));
    this.#queue = sent.then(
      () => undefined,
      () => undefined,
    );
    return sent;
  }

  async #stayConnected(): Promise<void> {
    const signal = this.#closing.signal;
    let backoffMs = backoffMinMs;
    let lost = false;
    while (!signal.aborted) {
      const client = new pg.Client(this.#config);
      const gone = new Promise<void>((resolve) => {
        client.on("error", () => resolve());
        client.on("end", () => resolve());
      });
      try {
        await client.connect();
        backoffMs = backoffMinMs;
        await this.#serve(client, gone, lost);
      } catch {
        // Out of reach: try again below.
      }
      this.#client = undefined;
      this.#listening.clear();
      lost = true;
      await client.end().catch(() => undefined);
      if (signal.aborted) break;
      await delay(backoffMs, undefined, { signal }).catch(() => undefined);
      backoffMs = Math.min(backoffMs * 2, backoffMaxMs);
    }
    for (const resolves of this.#waiting.values()) for (const resolve of resolves) resolve();
    this.#waiting.clear();
  }

  /** Returns, or throws, when the connection is of no more use. */
  async #serve(client: pg.Client, gone: Promise<void>, reconnected: boolean): Promise<void> {
    client.on("notification", ({ channel, payload }) => this.#deliver(channel, payload ?? ""));
    this.#client = client;
    for (const channel of this.#listeners.keys()) this.#listen(client, channel, reconnected);
    let failed: (error: unknown) => void = () => undefined;
    const unanswered = new Promise<never>((_, reject) => (failed = reject));
    // A connection whose other end vanished without a word is found out by asking.
    const ping = setInterval(() => void this.#query(client, "select 1").catch(failed), this.#pingMs);
    const closing = new Promise<void>((resolve) => {
      this.#closing.signal.addEventListener("abort", () => resolve(), { once: true });
      if (this.#closing.signal.aborted) resolve();
    });
    try {
      await Promise.race([gone, closing, unanswered]);
    } finally {
      clearInterval(ping);
    }
  }

  #listen(client: pg.Client, channel: string, reconnected = false): void {
    this.#query(client, `listen ${pg.escapeIdentifier(channel)}`).then(
      () => {
        if (this.#client !== client || !this.#listeners.has(channel)) return;
        this.#listening.add(channel);
        for (const resolve of this.#waiting.get(channel) ?? []) resolve();
        this.#waiting.delete(channel);
        if (reconnected) this.#deliver(channel, undefined);
      },
      // A statement fails here only with its connection, and then every channel is listened to again.
      () => undefined,
    );
  }

  #deliver(channel: string, payload: string | undefined): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(payload);
  }
}
