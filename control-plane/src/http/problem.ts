import { type ProblemAnswer, type ProblemCode, problemCodes } from "./contract/problem.ts";

/** A refusal, on its way to an `application/problem+json` answer. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly hint: string;
  readonly errors: readonly { path: string; message: string }[] | undefined;

  constructor(
    code: ProblemCode,
    detail: string,
    hint: string,
    options: {
      /** A more particular code of the domain, under the status and title of `code`. */
      readonly as?: string;
      readonly errors?: readonly { path: string; message: string }[];
    } = {},
  ) {
    super(detail);
    this.code = options.as ?? code;
    this.status = problemCodes[code].status;
    this.title = problemCodes[code].title;
    this.hint = hint;
    this.errors = options.errors;
  }

  get answer(): ProblemAnswer {
    return {
      type: `urn:headgate:problem:${this.code}`,
      title: this.title,
      status: this.status,
      code: this.code,
      detail: this.message,
      hint: this.hint,
      ...(this.errors === undefined ? {} : { errors: [...this.errors] }),
    };
  }
}
