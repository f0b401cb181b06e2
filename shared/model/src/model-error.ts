/** Every code that this package throws, in one place: callers and tests match on them, never on the message. */
export type ModelErrorCode =
  "invalid_cron" | "invalid_timezone" | "invalid_partitions" | "invalid_json_value" | "partition_out_of_range";

/** An operational failure with a stable `code`, a `message` that says what is wrong, and a `hint` that says how to mend it. */
export class ModelError extends Error {
  readonly code: ModelErrorCode;
  readonly hint: string;

  constructor(code: ModelErrorCode, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ModelError";
    this.code = code;
    this.hint = hint;
  }
}
