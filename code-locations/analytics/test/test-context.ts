import type { Database } from "@headgate/connections";
import type { Metadata } from "@headgate/sdk";

/** An asset, or a check: what runs under a context. */
type Runnable<Context> =
  | { readonly compute: (inputs: never, context: Context) => unknown }
  | { readonly run: (value: never, context: Context) => unknown };

/** The second argument of compute or of a check's run; what it reports as metadata is collected in `reported`. */
export function testContext<Context>(
  _definition: Runnable<Context>,
  options: { readonly database: Database; readonly month?: string; readonly config?: unknown },
): Context & { readonly reported: Readonly<Record<string, Metadata[string]>> } {
  const { database, month, config } = options;
  const reported: Record<string, Metadata[string]> = {};
  const context = {
    partition: month === undefined ? undefined : { key: month, window: windowOf(month) },
    config,
    resources: { database },
    signal: new AbortController().signal,
    metadata: (values: Metadata) => void Object.assign(reported, values),
    reported,
  };
  return context as unknown as Context & typeof context;
}

function windowOf(month: string): { readonly start: Date; readonly end: Date } {
  const [year, number] = [Number(month.slice(0, 4)), Number(month.slice(5))];
  return { start: new Date(Date.UTC(year, number - 1)), end: new Date(Date.UTC(year, number)) };
}
