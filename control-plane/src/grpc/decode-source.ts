import type * as wire from "@headgate/proto";
import type { SourceLocation } from "../domain/definitions.ts";
import { boundedText } from "./bounded-text.ts";

/** Where a definition says it was written. */
export function sourceLocation(source: wire.SourceLocation): SourceLocation {
  return { file: boundedText(source.file, 4_096), line: source.line };
}
