/** Why a definition is refused; thrown while it is described, reported on that definition alone. */
export class DefinitionProblem extends Error {
  override readonly name = "DefinitionProblem";
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
