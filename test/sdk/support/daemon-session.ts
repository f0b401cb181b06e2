import { once } from "node:events";
import { randomUUID } from "node:crypto";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { credentials } from "@grpc/grpc-js";
import { CodeLocationClient } from "@headgate/proto";
import type {
  AttemptEvent,
  AttemptPosition,
  Finished,
  LogStream,
  RefusedCommand,
  SessionRequest,
  SessionRequest_Batch,
  SessionResponse,
  SessionResponse_Welcome,
  StepCommand,
} from "@headgate/proto";

export function client(port: number): CodeLocationClient {
  return new CodeLocationClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": 16_777_216,
  });
}

/** A daemon's end of a session: sends frames, keeps what arrives, waits for what a test expects. */
export class DaemonSession {
  readonly #call: ClientDuplexStream<SessionRequest, SessionResponse>;
  readonly events: AttemptEvent[] = [];
  readonly refused: RefusedCommand[] = [];
  readonly credits: number[] = [];
  readonly definitionsHashes: string[] = [];
  heartbeats = 0;
  frames = 0;
  welcome: SessionResponse_Welcome | undefined;
  error: (Error & { code?: number }) | undefined;
  isOver = false;
  #waiting: (() => void)[] = [];

  private constructor(call: ClientDuplexStream<SessionRequest, SessionResponse>) {
    this.#call = call;
    call.on("data", (message: SessionResponse) => this.#receive(message));
    call.on("error", (error: Error & { code?: number }) => {
      this.error = error;
      this.#over();
    });
    call.on("end", () => this.#over());
  }

  static async open(
    location: CodeLocationClient,
    hello: { readonly daemonId?: string; readonly nonce?: number; readonly inFlight?: AttemptPosition[] } = {},
  ): Promise<DaemonSession> {
    const session = new DaemonSession(location.session());
    const { daemonId = "daemon-1", nonce = 1, inFlight = [] } = hello;
    session.#call.write({ frame: { $case: "hello", value: { daemonId, nonce, inFlight } } });
    await session.until(() => session.welcome !== undefined || session.isOver);
    return session;
  }

  #receive({ frame }: SessionResponse): void {
    this.frames++;
    if (frame?.$case === "welcome") this.welcome = frame.value;
    if (frame?.$case === "batch") {
      const { events, refused, credits, heartbeat, definitionsHash } = frame.value;
      this.events.push(...events);
      this.refused.push(...refused);
      if (credits !== undefined) this.credits.push(credits);
      if (heartbeat !== undefined) this.heartbeats++;
      if (definitionsHash !== "") this.definitionsHashes.push(definitionsHash);
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #over(): void {
    this.isOver = true;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves when `condition` holds; looked at whenever something arrives. */
  async until(condition: () => boolean, timeoutMs = 15_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!condition()) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0)
        throw new Error(`Not within ${timeoutMs} ms: ${String(condition)}; events: ${JSON.stringify(this.events)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  send(batch: Partial<SessionRequest_Batch>): void {
    const nothing = { acknowledgements: [], closedRuns: [], cancels: [], commands: [], computations: [] };
    const value = { ...nothing, heartbeat: undefined, ...batch };
    this.#call.write({ frame: { $case: "batch", value } });
  }

  finishedOf(attemptId: string): Finished | undefined {
    for (const { attemptId: id, event } of this.events) {
      if (id === attemptId && event?.$case === "finished") return event.value;
    }
    return undefined;
  }

  /** Sends one command and waits for its end. */
  async run(command: StepCommand): Promise<Finished> {
    this.send({ commands: [command] });
    await this.until(() => this.finishedOf(command.attemptId) !== undefined);
    const finished = this.finishedOf(command.attemptId);
    if (finished === undefined) throw new Error("unreachable");
    return finished;
  }

  eventsOf(attemptId: string): AttemptEvent[] {
    return this.events.filter((event) => event.attemptId === attemptId);
  }

  logOf(attemptId: string, stream: LogStream): string {
    const bodies = this.eventsOf(attemptId).map(({ event }) =>
      event?.$case === "log" && event.value.stream === stream ? event.value.body.toString() : "",
    );
    return bodies.join("");
  }

  /** Drops the connection without a word, as a daemon does that dies. */
  async drop(): Promise<void> {
    if (this.isOver) return;
    const over = once(this.#call, "error");
    this.#call.cancel();
    await over;
  }
}

export function command(assetKey: string, parts: Partial<StepCommand> & { checks?: string[] } = {}): StepCommand {
  const { checks = [], ...rest } = parts;
  return {
    attemptId: randomUUID(),
    runId: randomUUID(),
    epoch: 1,
    attemptNumber: 1,
    assetKey,
    partitionKey: "",
    window: undefined,
    work: { $case: "materialize", value: { versionId: randomUUID(), inputs: [], checks, config: "" } },
    timeoutMs: 60_000,
    leaseMs: 45_000,
    traceparent: "",
    runTags: {},
    ...rest,
  };
}
