import { useEffect, useState } from "react";
import type { Request } from "../api/answers.ts";
import { ask } from "../api/api-client.ts";
import { type LogLine, logLines } from "./log-lines.ts";

/** More than anybody reads in a browser; the command line has the rest. */
export const linesMax = 200_000;
const pageSize = 1_000;
/** How often a run that may still print is asked for more. */
const askEveryMs = 1_000;

export interface LogState {
  readonly lines: readonly LogLine[];
  /** All there is has come, and nothing more will. */
  readonly complete: boolean;
  readonly error: unknown;
}

const nothing: LogState = { lines: [], complete: false, error: undefined };

/** What steps printed and logged, page after page, and as it comes while the run goes on. */
export function useLog(run: string, filter: NonNullable<Request<"listRunLogs">["query"]>): LogState {
  const [state, setState] = useState(nothing);
  const key = JSON.stringify(filter);
  useEffect(() => {
    const controller = new AbortController();
    setState(nothing);
    void follow(run, JSON.parse(key) as typeof filter, controller.signal, setState);
    return () => controller.abort();
  }, [run, key]);
  return state;
}

async function follow(
  run: string,
  filter: object,
  signal: AbortSignal,
  set: (change: (before: LogState) => LogState) => void,
): Promise<void> {
  let after: string | undefined;
  let count = 0;
  while (!signal.aborted) {
    try {
      const query = { ...filter, limit: pageSize, ...(after === undefined ? {} : { after }) };
      const { items, next } = await ask("listRunLogs", { params: { id: run }, query }, { signal });
      const lines = logLines(items, count);
      count += lines.length;
      const complete = next === null || count >= linesMax;
      set((before) => ({ lines: [...before.lines, ...lines], complete, error: undefined }));
      if (complete) return;
      after = next;
      if (items.length === pageSize) continue;
    } catch (error) {
      if (signal.aborted) return;
      set((before) => ({ ...before, error }));
    }
    await new Promise((resolve) => setTimeout(resolve, askEveryMs));
  }
}
