import { InvalidArgumentError } from "commander";
import type { CommandContext } from "./command-context.ts";

/* What several commands share: options with the same name mean the same everywhere. */

/** Registers an action that asks a control plane; its last arguments are the options of commander. */
export type Ask = <A extends readonly unknown[], O>(
  run: (context: CommandContext, ...rest: [...A, O]) => Promise<number>,
) => (...args: unknown[]) => Promise<void>;

export function example(text: string): string {
  return `\nExample:\n  npx headgate ${text}`;
}

export const json = ["--json", "the answer as JSON"] as const;
export const partitions = ["--partitions <list>", "2001-03, 2001-01..2001-06, or a list with commas"] as const;
export const partition = ["--partition <key>", "one partition"] as const;
export const detach = ["--detach", "do not follow the run"] as const;
export const wait = ["--wait", "follow the run to its end (the default)"] as const;
export const idempotencyKey = [
  "--idempotency-key <key>",
  "sending it again with the same key does nothing new",
] as const;

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("it must be a whole number");
  return value;
}

/** A whole number that may be negative. */
export function integer(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError("it must be a whole number");
  return value;
}

export function repeated(text: string, before: string[] = []): string[] {
  return [...before, text];
}
