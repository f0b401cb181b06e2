import { setTimeout as delay } from "node:timers/promises";
import { type ApiClient, isUnreachable } from "./api-client.ts";
import { CliError } from "./cli-error.ts";
import { painter } from "./paint.ts";
import { type RunEvent, RunProgress, eventLine } from "./run-progress.ts";
import type { Run } from "./run-summary.ts";
import type { Terminal } from "./terminal.ts";

const redrawMs = 100;
const reconnectMs = 500;
/** How long a control plane may be away before the command gives up following. */
const awayMsMax = 300_000;

export type FollowEnd = { readonly kind: "ended" } | { readonly kind: "detached" };

/**
 * Follows a run until it has ended or the user detaches with Ctrl-C: a redrawn block on a terminal, a line an event
 * elsewhere, nothing if `quiet`. Goes on where it was when the server comes back.
 */
export async function followRun(api: ApiClient, terminal: Terminal, run: Run, quiet: boolean): Promise<FollowEnd> {
  const progress = new RunProgress(run);
  const stop = new AbortController();
  let detached = false;
  const offInterrupt = terminal.onInterrupt(() => {
    detached = true;
    stop.abort();
  });
  const screen = quiet ? undefined : terminal.interactive ? new Block(terminal, progress) : undefined;
  const onEvent = (event: RunEvent): boolean => {
    if (!quiet && screen === undefined) terminal.out(`${eventLine(event)}\n`);
    return progress.take(event) !== undefined;
  };
  try {
    await untilEnded(api, run.id, onEvent, stop.signal, (text) => {
      if (!quiet) terminal.err(`${text}\n`);
    });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    offInterrupt();
    screen?.close();
    stop.abort();
  }
  return detached ? { kind: "detached" } : { kind: "ended" };
}

async function untilEnded(
  api: ApiClient,
  id: string,
  onEvent: (event: RunEvent) => boolean,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  let lastEventId = "0";
  let awaySince: number | undefined;
  while (!signal.aborted) {
    try {
      for await (const sent of api.events({ topics: `run:${id}` }, lastEventId, signal)) {
        awaySince = undefined;
        lastEventId = sent.id ?? lastEventId;
        if (sent.event === "reset") continue;
        if (onEvent(JSON.parse(sent.data) as RunEvent)) return;
      }
      // The server ended the stream: it stops, or the log no longer reaches back to where the run ended.
      if ((await api.get("getRun", `/runs/${id}`)).endedAt !== null) return;
    } catch (error) {
      if (signal.aborted) return;
      const broken = isUnreachable(error) || (error instanceof TypeError && !(error instanceof CliError));
      if (!broken) throw error;
      if (awaySince === undefined) say("The control plane is away; the run goes on as far as it can. Waiting for it …");
      awaySince ??= Date.now();
      if (Date.now() - awaySince > awayMsMax) throw error;
    }
    await delay(reconnectMs, undefined, { signal }).catch(() => undefined);
  }
}

/** A few lines at the bottom of the terminal that are drawn again in place. */
class Block {
  readonly #terminal: Terminal;
  readonly #progress: RunProgress;
  readonly #timer: NodeJS.Timeout;
  #lines = 0;

  constructor(terminal: Terminal, progress: RunProgress) {
    this.#terminal = terminal;
    this.#progress = progress;
    this.#timer = setInterval(() => this.#draw(), redrawMs);
    this.#draw();
  }

  #draw(): void {
    const { columns, colors } = this.#terminal;
    const lines = this.#progress.block(painter(colors), columns, this.#terminal.now());
    const up = this.#lines === 0 ? "" : `\u001b[${this.#lines}A`;
    // One write a frame, each line cleared to its end and the rest of the screen below.
    this.#terminal.out(`${up}\r${lines.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J`);
    this.#lines = lines.length;
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#lines > 0) this.#terminal.out(`\u001b[${this.#lines}A\r\u001b[J`);
  }
}
