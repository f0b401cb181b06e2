import type { StepError } from "@headgate/proto";
import { cleanText } from "@headgate/model";
import type { CodeBase } from "./code-base.ts";
import type { Redaction } from "./redaction.ts";

const messageLengthMax = 8_192;
const stackLengthMax = 16_384;
const causesMax = 8;

/** What turns text of user code into text that may be sent. */
export interface Cleaning {
  readonly codeBase: CodeBase | undefined;
  readonly redaction: Redaction;
}

/**
 * An error as it is reported: cleaned, secrets struck out, with its causes and the first position in user code; where
 * its stack has none, the position of `definition`, whose step it was.
 */
export function stepError(error: unknown, code: string, cleaning: Cleaning, definition?: object): StepError {
  const reported = described(error, code, cleaning, 0);
  if (reported.position !== undefined || definition === undefined) return reported;
  return { ...reported, position: cleaning.codeBase?.definedAt(definition) };
}

function described(error: unknown, code: string, cleaning: Cleaning, depth: number): StepError {
  const { codeBase, redaction } = cleaning;
  const text = (value: string, lengthMax: number) => bounded(cleanText(redaction.apply(value)), lengthMax);
  const known = isErrorLike(error) ? error : undefined;
  const stack = typeof known?.stack === "string" ? known.stack : "";
  const cause = known?.cause;
  return {
    code: ownText(known, "code", /^(step|check|resource|io|definition|sensor)\.[a-z_]+$/) ?? code,
    message: text(known ? messageOf(known) : describeThrown(error), messageLengthMax),
    stack: text(stack, stackLengthMax),
    position: codeBase?.positionOf(stack),
    cause: cause === undefined || depth >= causesMax ? undefined : described(cause, "cause", cleaning, depth + 1),
    hint: text(ownText(known, "hint") ?? "", messageLengthMax),
  };
}

interface ErrorLike {
  readonly name?: unknown;
  readonly message: unknown;
  readonly stack?: unknown;
  readonly cause?: unknown;
}

function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === "object" && value !== null && "message" in value;
}

function messageOf(error: ErrorLike): string {
  const name =
    typeof error.name === "string" && error.name !== "Error" && error.name !== "StepFailure" ? error.name : "";
  return name === "" ? String(error.message) : `${name}: ${String(error.message)}`;
}

function describeThrown(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return `A value that is not an Error was thrown: ${JSON.stringify(value) ?? String(value)}`;
  } catch {
    return "A value that is not an Error was thrown.";
  }
}

function ownText(error: ErrorLike | undefined, name: string, pattern?: RegExp): string | undefined {
  const value = (error as Record<string, unknown> | undefined)?.[name];
  return typeof value === "string" && (pattern === undefined || pattern.test(value)) ? value : undefined;
}

function bounded(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${cleanText(text.slice(0, lengthMax))} … [cut]`;
}
