/** Thrown by compute: try again after `delayMs`; counts as one of the asset's retries. */
export class RetryLater extends Error {
  override readonly name = "RetryLater";
  readonly delayMs: number;

  constructor(message: string, options: { readonly delayMs: number; readonly cause?: unknown }) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.delayMs = options.delayMs;
  }
}
