import type * as wire from "@headgate/proto";
import type { StepError } from "../domain/attempt-report.ts";
import { boundedText } from "./bounded-text.ts";

const descriptionLengthMax = 8_192;
const stackLengthMax = 32_768;
const causesMax = 8;

/** Errors are for people: what is too long is cut, and so are causes beyond the eighth. */
export function decodeStepError(error: wire.StepError, depth = 0): StepError {
  const { position, cause } = error;
  return {
    code: boundedText(error.code, 128) || "step.failed",
    message: boundedText(error.message, descriptionLengthMax),
    ...(error.stack === "" ? {} : { stack: boundedText(error.stack, stackLengthMax) }),
    ...(error.hint === "" ? {} : { hint: boundedText(error.hint, descriptionLengthMax) }),
    ...(position === undefined
      ? {}
      : { position: { file: boundedText(position.file, 4_096), line: position.line, column: position.column } }),
    ...(cause === undefined || depth === causesMax ? {} : { cause: decodeStepError(cause, depth + 1) }),
  };
}
