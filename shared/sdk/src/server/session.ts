import type { AttemptEvent, RefusedCommand, SessionResponse, SessionResponse_Batch } from "@headgate/proto";

/** What a session writes to: a gRPC call, or a test's. */
export interface SessionSink {
  /** False: full, wait for `drained`. */
  write(message: SessionResponse): boolean;
  end(): void;
}

const frameSizeBytesMax = 4_194_304;

/** One stream to a daemon. Everything that is produced in one turn of the event loop leaves in one frame. */
export class Session {
  readonly daemonId: string;
  readonly nonce: number;
  readonly #sink: SessionSink;
  #events: AttemptEvent[] = [];
  #refused: RefusedCommand[] = [];
  #heartbeatNonce: number | undefined;
  #definitionsHash = "";
  #credits: number | undefined;
  #creditsTold: number;
  #isScheduled = false;
  #isFull = false;
  #isOpen = true;

  constructor(daemonId: string, nonce: number, sink: SessionSink, credits: number) {
    this.daemonId = daemonId;
    this.nonce = nonce;
    this.#sink = sink;
    this.#creditsTold = credits;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  event(event: AttemptEvent): void {
    this.#events.push(event);
    this.#schedule();
  }

  refuse(refused: RefusedCommand): void {
    this.#refused.push(refused);
    this.#schedule();
  }

  heartbeat(nonce: number): void {
    this.#heartbeatNonce = nonce;
    this.#schedule();
  }

  definitions(hash: string): void {
    this.#definitionsHash = hash;
    this.#schedule();
  }

  credits(credits: number): void {
    if (credits === (this.#credits ?? this.#creditsTold)) return;
    this.#credits = credits;
    this.#schedule();
  }

  drained(): void {
    this.#isFull = false;
    this.#schedule();
  }

  /** Nothing is written any more; what was not sent stays with its attempts. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#events = [];
    this.#sink.end();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isFull || !this.#isOpen) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    while (this.#isOpen && !this.#isFull && this.#hasPending()) {
      this.#isFull = !this.#sink.write({ frame: { $case: "batch", value: this.#nextBatch() } });
    }
  }

  #hasPending(): boolean {
    return (
      this.#events.length > 0 ||
      this.#refused.length > 0 ||
      this.#heartbeatNonce !== undefined ||
      this.#definitionsHash !== "" ||
      this.#credits !== undefined
    );
  }

  #nextBatch(): SessionResponse_Batch {
    const batch = {
      events: this.#nextEvents(),
      credits: this.#credits,
      heartbeat: this.#heartbeatNonce === undefined ? undefined : { nonce: this.#heartbeatNonce },
      definitionsHash: this.#definitionsHash,
      refused: this.#refused,
    };
    if (this.#credits !== undefined) this.#creditsTold = this.#credits;
    this.#credits = undefined;
    this.#heartbeatNonce = undefined;
    this.#definitionsHash = "";
    this.#refused = [];
    return batch;
  }

  #nextEvents(): AttemptEvent[] {
    let sizeBytes = 0;
    let count = 0;
    for (const event of this.#events) {
      sizeBytes += roughSizeBytes(event);
      if (count > 0 && sizeBytes > frameSizeBytesMax) break;
      count++;
    }
    if (count === this.#events.length) {
      const events = this.#events;
      this.#events = [];
      return events;
    }
    return this.#events.splice(0, count);
  }
}

/** An estimate, never much too low: metadata and errors are bounded where they are made. */
function roughSizeBytes({ event }: AttemptEvent): number {
  switch (event?.$case) {
    case undefined:
    case "started":
      return 128;
    case "log":
      return 128 + event.value.body.length;
    case "computed":
      return 1_024 + metadataSizeBytes(event.value.metadata);
    case "checkCompleted":
      return 8_192 + metadataSizeBytes(event.value.metadata);
    case "finished": {
      const { computed, checks } = event.value;
      const checkSizes = checks.reduce((sum, check) => sum + 8_192 + metadataSizeBytes(check.metadata), 0);
      return 1_024 + (event.value.error ? 65_536 : 0) + metadataSizeBytes(computed?.metadata ?? []) + checkSizes;
    }
  }
}

function metadataSizeBytes(metadata: readonly { readonly value: unknown }[]): number {
  let sizeBytes = 0;
  for (const entry of metadata) {
    const { value } = entry.value as { readonly value: unknown };
    sizeBytes += 192 + (typeof value === "string" ? value.length * 3 : typeof value === "object" ? 65_536 : 8);
  }
  return sizeBytes;
}
