import { LogStream } from "@headgate/proto";
import { cleanText } from "@headgate/model";
import type { Log } from "../log.ts";
import type { Redaction } from "./redaction.ts";
import type { CapturedLog } from "./worker-protocol.ts";

/** Sent at once beyond this, so that a long loop of prints cannot fill the worker's memory. */
const pendingSizeBytesMax = 16_384;
/** What is printed shows up this long after at the latest. */
const flushAfterMs = 50;
/** A chunk fits into one message together with others. */
const chunkLengthMax = 65_536;

type Level = "debug" | "info" | "warn" | "error";

interface PendingChunk {
  readonly stream: LogStream;
  text: string;
}

/** What one attempt prints and logs, in order. A short step's output rides with its result. */
export class LogCapture implements Log {
  readonly #send: (logs: readonly CapturedLog[]) => void;
  readonly #redaction: Redaction;
  #pending: PendingChunk[] = [];
  #pendingLength = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(redaction: Redaction, send: (logs: readonly CapturedLog[]) => void) {
    this.#redaction = redaction;
    this.#send = send;
  }

  debug(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log("debug", message, fields);
  }

  info(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log("info", message, fields);
  }

  warn(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log("warn", message, fields);
  }

  error(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log("error", message, fields);
  }

  #log(level: Level, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.append(
      LogStream.LOG_STREAM_LOG,
      `${jsonLine({ level, message: String(message), fields, atMs: Date.now() })}\n`,
    );
  }

  append(stream: LogStream, text: string): void {
    const last = this.#pending.at(-1);
    if (last?.stream === stream && last.text.length + text.length <= chunkLengthMax) last.text += text;
    else {
      for (let at = 0; at < text.length; at += chunkLengthMax) {
        this.#pending.push({ stream, text: text.slice(at, at + chunkLengthMax) });
      }
    }
    this.#pendingLength += text.length;
    if (this.#pendingLength >= pendingSizeBytesMax) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), flushAfterMs);
  }

  flush(): void {
    const logs = this.take();
    if (logs.length > 0) this.#send(logs);
  }

  /** What has not been sent yet. */
  take(): CapturedLog[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const logs = this.#pending.map(({ stream, text }) => ({
      stream,
      body: Buffer.from(cleanText(this.#redaction.apply(text))),
    }));
    this.#pending = [];
    this.#pendingLength = 0;
    return logs;
  }
}

function jsonLine(line: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(line, (_key, value: unknown) => {
      if (typeof value === "bigint") return String(value);
      if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
      return value;
    });
  } catch {
    return JSON.stringify({ ...line, fields: { unserializable: true } });
  }
}
