import type { LogStream } from "@headgate/proto";
import type { AttemptEvent, LogChunk } from "@headgate/proto";

/** Log bytes that are kept for an attempt, and for all together, until they are acknowledged. */
export const attemptLogSizeBytesMax = 1_048_576;
export const totalLogSizeBytesMax = 16_777_216;
const chunkSizeBytesMax = 65_536;

/** Log bytes of all attempts that were not acknowledged. */
export class LogBudget {
  usedBytes = 0;
}

/** The events of one attempt: numbered from 1 without gaps, kept until they are acknowledged. */
export class AttemptLog {
  readonly #attemptId: string;
  readonly #budget: LogBudget;
  readonly #events: AttemptEvent[] = [];
  readonly #droppedBytes = new Map<LogStream, number>();
  #sequence = 0;
  #logSizeBytes = 0;

  constructor(attemptId: string, budget: LogBudget) {
    this.#attemptId = attemptId;
    this.#budget = budget;
  }

  /** The last number given. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Not acknowledged, in order. */
  get events(): readonly AttemptEvent[] {
    return this.#events;
  }

  append(event: NonNullable<AttemptEvent["event"]>): AttemptEvent {
    const numbered = { attemptId: this.#attemptId, sequence: ++this.#sequence, atMs: Date.now(), event };
    this.#events.push(numbered);
    return numbered;
  }

  /** Log output as events; what exceeds the bounds is dropped and counted. */
  appendOutput(stream: LogStream, body: Buffer): AttemptEvent[] {
    const appended: AttemptEvent[] = [];
    for (let at = 0; at < body.length; at += chunkSizeBytesMax) {
      const part = body.subarray(at, at + chunkSizeBytesMax);
      const isOver =
        this.#logSizeBytes + part.length > attemptLogSizeBytesMax ||
        this.#budget.usedBytes + part.length > totalLogSizeBytesMax;
      if (isOver) this.#droppedBytes.set(stream, (this.#droppedBytes.get(stream) ?? 0) + part.length);
      else appended.push(this.#appendChunk(stream, part));
    }
    return appended;
  }

  /** Tells of what was dropped last, before the attempt's end. */
  appendDropped(): AttemptEvent[] {
    return [...this.#droppedBytes.keys()].map((stream) => this.#appendChunk(stream, Buffer.alloc(0)));
  }

  #appendChunk(stream: LogStream, body: Buffer): AttemptEvent {
    const droppedBytes = this.#droppedBytes.get(stream) ?? 0;
    this.#droppedBytes.delete(stream);
    this.#logSizeBytes += body.length;
    this.#budget.usedBytes += body.length;
    const value: LogChunk = { stream, body, droppedBytes };
    return this.append({ $case: "log", value });
  }

  /** Forgets what is stored elsewhere now: every event up to and with `sequence`. */
  acknowledge(sequence: number): void {
    let count = 0;
    for (const { sequence: number, event } of this.#events) {
      if (number > sequence) break;
      count++;
      if (event?.$case === "log") this.#release(event.value.body.length);
    }
    this.#events.splice(0, count);
  }

  #release(sizeBytes: number): void {
    this.#logSizeBytes -= sizeBytes;
    this.#budget.usedBytes -= sizeBytes;
  }
}
