/** Ends a command with a message and what to do about it. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly hint: string;
  /** Of a problem answered by the API; else of the command line. */
  readonly code: string;

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
