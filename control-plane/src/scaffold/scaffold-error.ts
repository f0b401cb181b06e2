export type ScaffoldErrorCode =
  "new.bad_name" | "new.exists" | "new.workspace_unreadable" | "new.package_unreadable" | "new.no_place";

/** Why no location was made. Nothing has been written when it is thrown. */
export class ScaffoldError extends Error {
  override readonly name = "ScaffoldError";
  readonly code: ScaffoldErrorCode;
  readonly hint: string;

  constructor(code: ScaffoldErrorCode, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
