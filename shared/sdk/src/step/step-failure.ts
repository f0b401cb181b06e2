/** A failure of a step that this package found and can explain; user code's own errors stay as they are. */
export class StepFailure extends Error {
  override readonly name = "StepFailure";
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
