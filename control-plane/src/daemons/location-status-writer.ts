import type pg from "pg";
import { withTransaction } from "../storage/database.ts";
import { type LocationStatus, setLocationStatus } from "../storage/locations.ts";

const retryMs = 1_000;

/** Writes what is known of one location. While the database is away only the newest word is kept, and tried again. */
export class LocationStatusWriter {
  readonly #pool: pg.Pool;
  readonly #onError: (error: unknown) => void;
  #due: LocationStatus | undefined;
  #writing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(pool: pg.Pool, onError: (error: unknown) => void) {
    this.#pool = pool;
    this.#onError = onError;
  }

  /** Resolves once this status, or a newer one, has been written or has failed to be. */
  async write(status: LocationStatus): Promise<void> {
    this.#due = status;
    await this.#flush();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#writing;
  }

  #flush(): Promise<void> {
    return (this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined)));
  }

  async #writeAll(): Promise<void> {
    while (this.#due !== undefined && !this.#closed) {
      const status = this.#due;
      try {
        const changed = await withTransaction(this.#pool, (tx) => setLocationStatus(tx, status));
        if (changed) await this.#pool.query("select pg_notify('headgate_events', '')");
        if (this.#due === status) this.#due = undefined;
      } catch (error) {
        this.#onError(error);
        clearTimeout(this.#retry);
        if (!this.#closed) this.#retry = setTimeout(() => void this.#flush(), retryMs);
        return;
      }
    }
  }
}
