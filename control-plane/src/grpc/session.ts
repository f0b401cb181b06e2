import type { ClientDuplexStream } from "@grpc/grpc-js";
import { SessionRequest, type SessionRequest_Batch } from "@headgate/proto";
import type { AttemptReport, ComputationCommand, StepCommand } from "../domain/attempt-report.ts";
import { type InboundFrame, type RefusedCommand, type Welcome, decodeFrame } from "./decode-frame.ts";
import { encodeCommand, encodeComputation } from "./encode.ts";
import { LocationError, callFailed } from "./location-error.ts";

export interface AttemptPosition {
  readonly attemptId: string;
  /** The last sequence number that is stored durably; 0: nothing. */
  readonly sequence: number;
}

export interface SessionHello {
  /** Identifies the daemon's incarnation. */
  readonly daemonId: string;
  /** Grows with every session that this daemon opens. */
  readonly nonce: number;
  /** What the control plane holds to be in flight on this instance. */
  readonly inFlight: readonly AttemptPosition[];
}

/** Called in the order of the frames, `welcome` first and `closed` last and once. What they throw ends the session. */
export interface SessionHandlers {
  welcome(welcome: Welcome): void;
  reports(reports: readonly AttemptReport[]): void;
  refused(refused: readonly RefusedCommand[]): void;
  /** The total for this session, not what is left of it. */
  credits(credits: number): void;
  definitionsChanged(hash: string): void;
  /** `undefined`: this side closed it. */
  closed(error: Error | undefined): void;
}

export interface SessionBatch {
  readonly acknowledgements?: readonly AttemptPosition[];
  readonly closedRuns?: readonly string[];
  readonly cancels?: readonly { readonly attemptId: string; readonly graceMs: number }[];
  readonly commands?: readonly StepCommand[];
  readonly computations?: readonly ComputationCommand[];
}

export interface Session {
  /**
   * What is sent in one tick goes out in one frame. After the session has closed nothing is sent and nothing is thrown:
   * sending is harmless to lose, because whoever resumes says again what is in flight.
   */
  send(batch: SessionBatch): void;
  /** Stops reading from the instance until `resume`: the instance then keeps what it has to say. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface SessionTiming {
  readonly heartbeatMs: number;
  /** Heartbeats without any frame from the instance after which the session is closed. */
  readonly silentBeatsMax: number;
}

export const sessionTiming: SessionTiming = { heartbeatMs: 2_000, silentBeatsMax: 5 };

/** A frame beyond this is sent as several. */
const frameSizeBytesMax = 8 * 1_048_576;
/** What the instance receives at most in one message. */
const commandSizeBytesMax = 15 * 1_048_576;
const closeGraceMs = 1_000;

export type SessionStream = ClientDuplexStream<Buffer, Buffer>;

/** Speaks the daemon's side of session.proto on a stream of encoded frames. */
export class LocationSession implements Session {
  readonly #stream: SessionStream;
  readonly #address: string;
  readonly #nonce: number;
  readonly #handlers: SessionHandlers;
  readonly #timing: SessionTiming;
  readonly #beating: NodeJS.Timeout;
  /** By attempt: the newest says all. */
  #acknowledgements = new Map<string, number>();
  #closedRuns: string[] = [];
  #cancels: { attemptId: string; graceMs: number }[] = [];
  #commands: StepCommand[] = [];
  #computations: ComputationCommand[] = [];
  #heartbeatDue = false;
  #flushScheduled = false;
  #writable = true;
  #silentBeats = 0;
  #paused = false;
  #welcomed = false;
  #closed = false;

  constructor(
    stream: SessionStream,
    address: string,
    hello: SessionHello,
    handlers: SessionHandlers,
    timing: SessionTiming = sessionTiming,
  ) {
    this.#stream = stream;
    this.#address = address;
    this.#nonce = hello.nonce;
    this.#handlers = handlers;
    this.#timing = timing;
    stream.on("data", (bytes: Buffer) => this.#receive(bytes));
    stream.on("drain", () => {
      this.#writable = true;
      this.#flush();
    });
    stream.on("error", (error: unknown) => this.#finish(callFailed(address, "the session", error, false)));
    stream.on("end", () => this.#finish(new LocationError("location.lost", `${address} ended the session`)));
    const inFlight = hello.inFlight.map(({ attemptId, sequence }) => ({ attemptId, sequence }));
    this.#write({ $case: "hello", value: { daemonId: hello.daemonId, nonce: hello.nonce, inFlight } });
    this.#beating = setInterval(() => this.#beat(), timing.heartbeatMs);
  }

  send(batch: SessionBatch): void {
    if (this.#closed) return;
    for (const { attemptId, sequence } of batch.acknowledgements ?? []) {
      const before = this.#acknowledgements.get(attemptId);
      if (before === undefined || before < sequence) this.#acknowledgements.set(attemptId, sequence);
    }
    for (const runId of batch.closedRuns ?? []) this.#closedRuns.push(runId);
    for (const cancel of batch.cancels ?? []) this.#cancels.push(cancel);
    for (const command of batch.commands ?? []) this.#commands.push(command);
    for (const computation of batch.computations ?? []) this.#computations.push(computation);
    this.#scheduleFlush();
  }

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#silentBeats = 0;
    if (!this.#closed) this.#stream.resume();
  }

  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#finish(undefined);
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return;
    this.#silentBeats = 0;
    try {
      this.#deliver(decodeFrame(bytes));
    } catch (error) {
      this.#finish(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #deliver(frame: InboundFrame): void {
    if ((frame.kind === "welcome") === this.#welcomed) {
      const what = this.#welcomed ? "a second welcome" : "a batch ahead of its welcome";
      throw new LocationError("location.refused", `${this.#address} sent ${what}`);
    }
    switch (frame.kind) {
      case "welcome":
        this.#welcomed = true;
        this.#handlers.welcome(frame.welcome);
        break;
      case "batch":
        if (frame.reports.length > 0) this.#handlers.reports(frame.reports);
        // A handler may close the session; then it hears no more.
        if (frame.refused.length > 0 && !this.#closed) this.#handlers.refused(frame.refused);
        if (frame.credits !== undefined && !this.#closed) this.#handlers.credits(frame.credits);
        if (frame.definitionsHash !== "" && !this.#closed) this.#handlers.definitionsChanged(frame.definitionsHash);
        break;
    }
  }

  /** Beats are counted, not milliseconds: a daemon that stalled itself must first read what has arrived meanwhile. */
  #beat(): void {
    if (!this.#paused && this.#silentBeats >= this.#timing.silentBeatsMax) {
      const forMs = this.#silentBeats * this.#timing.heartbeatMs;
      const what = this.#welcomed ? "has been silent" : "has not answered hello";
      this.#finish(new LocationError("location.silent", `${this.#address} ${what} for ${forMs} ms`));
      return;
    }
    this.#silentBeats++;
    this.#heartbeatDue = true;
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    // What is said while the stream is full is merged and goes out when it has drained.
    if (this.#closed || !this.#writable) return;
    const acknowledgements = [...this.#acknowledgements].map(([attemptId, sequence]) => ({ attemptId, sequence }));
    const closedRuns = this.#closedRuns;
    const cancels = this.#cancels;
    const commands = this.#commands;
    const computations = this.#computations;
    const heartbeat = this.#heartbeatDue ? { nonce: this.#nonce } : undefined;
    const count = acknowledgements.length + closedRuns.length + cancels.length + commands.length + computations.length;
    if (count === 0 && !heartbeat) return;
    this.#acknowledgements = new Map();
    this.#closedRuns = [];
    this.#cancels = [];
    this.#commands = [];
    this.#computations = [];
    this.#heartbeatDue = false;
    this.#writeBatch({
      acknowledgements,
      closedRuns,
      cancels,
      commands: commands.map(encodeCommand),
      heartbeat,
      computations: computations.map(encodeComputation),
    });
  }

  #writeBatch(batch: SessionRequest_Batch): void {
    const bytes = encodeFrame({ $case: "batch", value: batch });
    const { commands, computations } = batch;
    const count = commands.length + computations.length;
    if (bytes.length <= frameSizeBytesMax || (count === 1 && bytes.length <= commandSizeBytesMax)) {
      this.#writable = this.#stream.write(bytes) && this.#writable;
      return;
    }
    if (count <= 1) {
      const lost = [...commands, ...computations.flatMap(({ members }) => members)];
      if (lost.length === 0) throw new Error("a frame without commands is too large");
      this.#writeBatch({ ...batch, commands: [], computations: [] });
      this.#handlers.reports(lost.map(({ attemptId }) => tooLarge(attemptId, bytes.length)));
      return;
    }
    // Acknowledgements, closed runs and cancels come before commands, in the first frame. A computation is never split.
    const half = count >> 1;
    const inFirst = Math.max(0, half - commands.length);
    this.#writeBatch({ ...batch, commands: commands.slice(0, half), computations: computations.slice(0, inFirst) });
    const rest = { acknowledgements: [], closedRuns: [], cancels: [], heartbeat: undefined };
    this.#writeBatch({ ...rest, commands: commands.slice(half), computations: computations.slice(inFirst) });
  }

  #write(frame: NonNullable<SessionRequest["frame"]>): void {
    this.#writable = this.#stream.write(encodeFrame(frame)) && this.#writable;
  }

  #finish(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#beating);
    if (error === undefined) {
      this.#stream.end();
      setTimeout(() => this.#stream.cancel(), closeGraceMs).unref();
      this.#stream.resume();
    } else {
      this.#stream.cancel();
    }
    this.#handlers.closed(error);
  }
}

function encodeFrame(frame: NonNullable<SessionRequest["frame"]>): Buffer {
  return Buffer.from(SessionRequest.encode({ frame }).finish());
}

/** A command that no instance could receive fails its attempt, before anything started. */
function tooLarge(attemptId: string, sizeBytes: number): AttemptReport {
  const error = {
    code: "command.too_large",
    message: `The command of this step has ${sizeBytes} bytes, of at most ${commandSizeBytesMax}.`,
    hint: "Let the asset read fewer partitions, be asked for fewer at once, or read versions with less metadata.",
  };
  const finished = { outcome: "failed", checks: [], error, permanent: true } as const;
  return { attemptId, sequence: 1, atMs: 0, kind: "finished", finished };
}
