import { dirname, resolve } from "node:path";
import type { Message } from "esbuild";
import type { DefinitionError } from "@headgate/proto";
import type { LoadProblem } from "../step/worker-protocol.ts";
import type { LocationSources } from "./bundle.ts";
import { fileOf, sourceName } from "./bundle.ts";

/** A module that did not load. */
export interface ModuleProblem {
  /** Absolute path. */
  readonly file: string;
  /** Relative to the location's folder. */
  readonly source: string;
  readonly error: DefinitionError;
  /** Absolute path without ending that it imports and that leads nowhere. */
  readonly missing?: string;
}

export function syntaxProblem(sources: LocationSources, message: Message): ModuleProblem {
  const file = fileOf(sources, message) ?? sources.entry;
  const source = sourceName(sources, file);
  const line = message.location?.line ?? 0;
  const shown = message.location?.lineText.trim();
  return {
    file,
    source,
    ...missingImport(file, message),
    error: {
      code: "definition.module_invalid",
      message: `${source} does not parse or resolve: ${message.text}${shown ? ` (${shown})` : ""}`,
      hint: message.notes[0]?.text ?? "Mend that line and save.",
      source: { file: source, line },
    },
  };
}

/** The file may be made by the next save: then somebody has to look where it would be. */
function missingImport(file: string, { text }: Message): Pick<ModuleProblem, "missing"> {
  const path = /^Could not resolve "(\.[^"]*)"/.exec(text)?.[1];
  return path === undefined ? {} : { missing: resolve(dirname(file), path) };
}

export function importProblem(
  sources: LocationSources,
  file: string,
  problem: LoadProblem,
  failedImports: readonly string[],
): ModuleProblem {
  const source = sourceName(sources, file);
  const { position, message, code } = problem.error;
  const place = position === undefined ? source : `${position.file}:${position.line}`;
  const others =
    failedImports.length === 0 ? "" : ` It imports ${failedImports.join(", ")}, which did not load: mend that first.`;
  return {
    file,
    source,
    error: {
      code: code.startsWith("definition.") ? code : "definition.module_threw",
      message: `${source} threw while it was imported, at ${place}: ${message}`,
      hint: `Mend ${place}; a module must import without throwing.${others}`,
      source: { file: position?.file ?? source, line: position?.line ?? 0 },
    },
  };
}
