import { isAlive } from "../processes/process-identity.ts";
import type { PostgresServer } from "./postgres-server.ts";

const lookEveryMs = 500;

export interface KeptPostgresOptions {
  /** Starts the server again, at the port that everybody knows. */
  readonly launch: (port: number) => Promise<PostgresServer>;
  /** Told of each start that was needed, and of each that failed: it is tried again. */
  readonly restarted: (error: unknown) => void;
}

/** Starts a server again that ended though nobody asked it to: the system was short of memory, somebody killed it. */
export class KeptPostgres {
  readonly #options: KeptPostgresOptions;
  readonly #timer: NodeJS.Timeout;
  #server: PostgresServer;
  #restarting: Promise<void> | undefined;

  constructor(server: PostgresServer, options: KeptPostgresOptions) {
    this.#server = server;
    this.#options = options;
    // An adopted server is nobody's child, so that no event tells of its end.
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
    this.#timer.unref();
  }

  get server(): PostgresServer {
    return this.#server;
  }

  /** Ends the watch; resolves with the server that is there then. */
  async release(): Promise<PostgresServer> {
    clearInterval(this.#timer);
    await this.#restarting;
    return this.#server;
  }

  #look(): void {
    if (this.#restarting !== undefined || isAlive(this.#server.identity)) return;
    this.#restarting = this.#restart().finally(() => (this.#restarting = undefined));
  }

  async #restart(): Promise<void> {
    try {
      this.#server = await this.#options.launch(this.#server.port);
      this.#options.restarted(undefined);
    } catch (error) {
      this.#options.restarted(error);
    }
  }
}
