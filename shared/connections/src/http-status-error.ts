import { ConnectionError } from "./connection-error.ts";

/** An answer that is no success. */
export class HttpStatusError extends ConnectionError {
  readonly status: number;
  /** What the server asked for by `Retry-After`; undefined where it did not. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, status: number, retryAfterMs: number | undefined) {
    super("http.status", message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}
