import type { IoManager } from "../io-manager.ts";
import type { FieldRule } from "./fields.ts";
import { anything, callable, checkFields, record, texts } from "./fields.ts";
import { DefinitionProblem } from "./problem.ts";

const ioFields: Readonly<Record<string, FieldRule>> = {
  kind: anything,
  schemes: texts,
  mediaTypes: texts,
  resources: record,
  write: callable,
  read: callable,
  publish: callable,
  scratch: callable,
  preview: callable,
};

/** @throws DefinitionProblem for an IO manager that cannot write or read, or has a field of the wrong form */
export function checkIo(what: string, io: IoManager): void {
  checkFields(what, io, ioFields);
  for (const name of ["write", "read"] as const) {
    if (typeof io[name] === "function") continue;
    throw new DefinitionProblem(
      "definition.invalid",
      `${what} has no "${name}" function.`,
      `Give \`${name}\` to ioManager({ ... }).`,
    );
  }
}
