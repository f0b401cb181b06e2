import type { TlsFiles } from "./tls-files.ts";

/** What is served, where, and to whom. */
export interface ServeOptions {
  /** A folder with a definitions.ts, or such a file. */
  readonly module: string;
  /** Default "127.0.0.1". */
  readonly host?: string | undefined;
  /** Default 4000; 0: any free port. */
  readonly port?: number | undefined;
  /** As the location calls itself; default: the name of its folder. */
  readonly locationName?: string | undefined;
  /** Default: the team that the definitions name. */
  readonly team?: string | undefined;
  /** Loads the code again when a source changes. */
  readonly watch?: boolean | undefined;
  /** Called when a source was saved, before it is loaded, with the time of the save in Unix milliseconds. */
  readonly saved?: ((savedAtMs: number) => void) | undefined;
  /** Called when a source was saved and loaded, and no definition is another one, with the time of the save. */
  readonly unchanged?: ((savedAtMs: number) => void) | undefined;
  /** Worker processes; default: HEADGATE_WORKERS, or the number of cores and at least 2. */
  readonly workers?: number | undefined;
  /** Ends the process when no session was open for so long; default: never. */
  readonly exitWhenAloneMs?: number | undefined;
  /** Callers must send `authorization: Bearer <token>`; default: HEADGATE_LOCATION_TOKEN, or nothing. */
  readonly token?: string | undefined;
  /** PEM files; default: those that HEADGATE_LOCATION_TLS_CERT, _KEY and _CA name, or no TLS. */
  readonly tls?: TlsFiles | undefined;
  /** Ends in an orderly way on SIGTERM and SIGINT; default true. */
  readonly signals?: boolean | undefined;
}

/** A code location that is being served. */
export interface ServedLocation {
  readonly port: number;
  readonly instanceId: string;
  /** Variables that its modules named with `env` or `secret`, without a default, and that are not set. */
  readonly missingVariables: readonly string[];
  /**
   * Takes no more steps, lets running ones end and their results be acknowledged until `deadlineMs` (default 30,000)
   * have passed, then stops.
   */
  close(options?: { readonly deadlineMs?: number }): Promise<void>;
}
