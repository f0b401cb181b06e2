export interface ProblemFields {
  /** Of the HTTP answer; 0 if there was none. */
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

/** What the control plane said instead of an answer: a stable code, what happened, and how to mend it. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  readonly errors: readonly { readonly path: string; readonly message: string }[];

  constructor({ status, code, detail, hint, errors = [] }: ProblemFields) {
    super(detail);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.errors = errors;
  }

  /** True if asking again may help: the server, or the way to it, was at fault and not the request. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}
