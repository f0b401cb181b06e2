import type { ApiClient } from "./api-client.ts";
import type { Paint } from "./paint.ts";
import type { Terminal } from "./terminal.ts";

/** What every command that asks a control plane is given. */
export interface CommandContext {
  readonly api: ApiClient;
  readonly terminal: Terminal;
  readonly paint: Paint;
  /** The answer as JSON and nothing else on stdout. */
  readonly json: boolean;
}

/** Writes the answer as JSON, or in the words of `text`. */
export function print(context: CommandContext, answer: unknown, text: () => string): void {
  context.terminal.out(context.json ? `${JSON.stringify(answer, null, 2)}\n` : text());
}
