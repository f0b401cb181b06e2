import { randomUUID } from "node:crypto";
import type { DriveSession } from "../../control-plane/src/daemons/drive/lane.ts";
import type { InstanceContact } from "../../control-plane/src/daemons/drive/instance-contact.ts";
import type {
  AttemptReport,
  CheckReport,
  ComputedReport,
  FinishedReport,
  StepCommand,
} from "../../control-plane/src/domain/attempt-report.ts";

/** What a daemon offers to a location's sessions. */
export type SessionListener = Pick<
  InstanceContact,
  "sessionOpened" | "sessionClosed" | "reports" | "refused" | "credits" | "inFlight"
>;

type Batch = Parameters<DriveSession["send"]>[0];
type Saying = AttemptReport extends infer R
  ? R extends AttemptReport
    ? Omit<R, "attemptId" | "sequence" | "atMs">
    : never
  : never;

/** An attempt as the code of a location sees it. */
export interface FakeAttempt {
  readonly command: StepCommand;
  readonly signal: AbortSignal;
  say(saying: Saying): void;
}

/** What a location does with a command: the report that ends it, now or later. */
export type Compute = (attempt: FakeAttempt) => FinishedReport | Promise<FinishedReport>;

interface Held {
  readonly attempt: FakeAttempt;
  readonly abort: AbortController;
  readonly unacknowledged: AttemptReport[];
  sequence: number;
  finished: boolean;
  session: OpenSession | undefined;
}

interface OpenSession {
  readonly listener: () => SessionListener;
  open: boolean;
  paused: boolean;
  outbox: AttemptReport[];
}

/** A value that was stored. */
export function computed(command: StepCommand, more: Partial<ComputedReport> = {}): ComputedReport {
  const place = command.work.kind === "materialize" ? command.work.versionId : command.work.version.versionId;
  return {
    value: { scheme: "file", place, mediaType: "text/plain", digest: "", sizeBytes: 1 },
    dataVersion: place,
    codeVersion: "1",
    metadata: [],
    ...more,
  };
}

export function checkReport(
  name: string,
  outcome: CheckReport["outcome"] = "passed",
  more: Partial<CheckReport> = {},
): CheckReport {
  return { name, checkVersion: 1, outcome, description: "", metadata: [], ...more };
}

/** The end of an attempt that computed, and checked with these outcomes; a check that is not named passed. */
export function succeeded(
  command: StepCommand,
  outcomes: Readonly<Record<string, CheckReport["outcome"]>> = {},
): FinishedReport {
  const { work } = command;
  return {
    outcome: "succeeded",
    ...(work.kind === "materialize" ? { computed: computed(command) } : {}),
    checks: work.checks.map((name) => checkReport(name, outcomes[name])),
    permanent: false,
  };
}

export function threw(message: string, more: Partial<FinishedReport> = {}): FinishedReport {
  return { outcome: "failed", checks: [], permanent: false, error: { code: "step.threw", message }, ...more };
}

export function canceled(): FinishedReport {
  return { outcome: "canceled", checks: [], permanent: false, error: { code: "step.canceled", message: "canceled" } };
}

/** A compute that goes on until `end` is called or it is canceled. `begun` resolves once it was commanded. */
export class Pause {
  readonly begun: Promise<FakeAttempt>;
  #begin: (attempt: FakeAttempt) => void = () => undefined;
  #end: (finished: FinishedReport) => void = () => undefined;

  constructor() {
    this.begun = new Promise((resolve) => (this.#begin = resolve));
  }

  readonly compute: Compute = (attempt) =>
    new Promise((resolve) => {
      this.#end = resolve;
      attempt.signal.addEventListener("abort", () => resolve(canceled()));
      this.#begin(attempt);
    });

  async succeed(outcomes: Readonly<Record<string, CheckReport["outcome"]>> = {}): Promise<void> {
    this.#end(succeeded((await this.begun).command, outcomes));
  }

  end(finished: FinishedReport): void {
    this.#end(finished);
  }
}

/**
 * One instance of a code location inside the test's process, with the rules of session.proto: an attempt begins once
 * however often it is commanded, its reports are kept until they are acknowledged, and who asks last is told.
 */
export class FakeLocation {
  readonly name: string;
  instanceId = randomUUID();
  /** Every command that began to compute, in order. */
  readonly begun: StepCommand[] = [];
  /** Every command that arrived. */
  readonly commanded: StepCommand[] = [];
  readonly canceled: string[] = [];
  /** The assets of every computation that arrived. */
  readonly computations: (readonly string[])[] = [];
  /** The partitions of every computation that arrived. */
  readonly batches: (readonly string[])[] = [];
  /** The most attempts that computed at once. */
  atOnceMax = 0;
  /** False: a session that ends is not opened again. */
  reconnects = true;
  #credits: number;
  /** A cancel of one attempt ends all that were commanded with it, as session.proto says. */
  readonly #cancelsTogether: boolean;
  readonly #together: (readonly string[])[] = [];
  #compute: Compute;
  readonly #held = new Map<string, Held>();
  readonly #tombstones = new Set<string>();
  readonly #epochs = new Map<string, number>();
  readonly #sessions = new Set<OpenSession>();

  constructor(
    name: string,
    options: { readonly credits?: number; readonly compute?: Compute; readonly cancelsTogether?: boolean } = {},
  ) {
    this.name = name;
    this.#credits = options.credits ?? 100;
    this.#cancelsTogether = options.cancelsTogether ?? false;
    this.#compute = options.compute ?? (({ command }) => succeeded(command));
  }

  set compute(compute: Compute) {
    this.#compute = compute;
  }

  begunFor(asset: string, partition = ""): StepCommand[] {
    return this.begun.filter((command) => command.asset === asset && command.partition === partition);
  }

  /** Attempts that are held: computing, or finished and not acknowledged. */
  get heldCount(): number {
    return this.#held.size;
  }

  /** Opens a session with a daemon, as the daemon would by dialling. */
  connect(listener: () => SessionListener): void {
    const session: OpenSession = { listener, open: true, paused: false, outbox: [] };
    for (const other of this.#sessions) if (other.listener === listener) this.#close(other, false);
    this.#sessions.add(session);
    const positions = listener().inFlight(this.name);
    const instanceId = this.instanceId;
    const held = [...this.#held].map(([attemptId, { finished }]) => ({ attemptId, finished }));
    const drive: DriveSession = {
      send: (batch) => void setImmediate(() => session.open && this.#receive(session, batch)),
      pause: () => (session.paused = true),
      resume: () => {
        session.paused = false;
        this.#deliver(session);
      },
      close: () => void setImmediate(() => this.#close(session, this.reconnects)),
    };
    listener().sessionOpened(this.name, instanceId, drive, this.#credits, held);
    const named = new Set<string>();
    for (const { attemptId, sequence } of positions) {
      const attempt = this.#held.get(attemptId);
      if (attempt === undefined) continue;
      named.add(attemptId);
      attempt.session = session;
      this.#acknowledge(attemptId, sequence);
    }
    for (const [attemptId, attempt] of this.#held) {
      if (!named.has(attemptId) && attempt.session?.open === true) continue;
      attempt.session = session;
      session.outbox.push(...attempt.unacknowledged);
    }
    this.#deliver(session);
  }

  /** The network breaks: every session ends, what computes goes on. */
  disconnect(): void {
    for (const session of this.#sessions) this.#close(session, false);
  }

  /** The process dies with all that it held, and is another instance when it comes back. */
  exit(): string {
    const gone = this.instanceId;
    this.disconnect();
    for (const held of this.#held.values()) held.abort.abort();
    this.#held.clear();
    this.#tombstones.clear();
    this.#epochs.clear();
    this.instanceId = randomUUID();
    return gone;
  }

  /** Loses an attempt as if it had never been commanded. */
  forget(attemptId: string): void {
    this.#held.delete(attemptId);
  }

  setCredits(credits: number): void {
    this.#credits = credits;
    for (const session of this.#sessions) session.listener().credits(this.name, this.instanceId, credits);
  }

  #close(session: OpenSession, reconnect: boolean): void {
    if (!session.open) return;
    session.open = false;
    this.#sessions.delete(session);
    session.listener().sessionClosed(this.name, this.instanceId);
    if (reconnect) setImmediate(() => this.reconnects && this.connect(session.listener));
  }

  #receive(session: OpenSession, batch: Batch): void {
    for (const { attemptId, sequence } of batch.acknowledgements ?? []) this.#acknowledge(attemptId, sequence);
    for (const run of batch.closedRuns ?? []) {
      this.#epochs.delete(run);
      for (const [id, { attempt, finished }] of this.#held) {
        if (attempt.command.runId === run && finished) this.#held.delete(id);
      }
    }
    for (const { attemptId } of batch.cancels ?? []) {
      this.canceled.push(attemptId);
      const together = this.#together.find((ids) => this.#cancelsTogether && ids.includes(attemptId));
      for (const id of together ?? [attemptId]) this.#held.get(id)?.abort.abort();
    }
    for (const command of batch.commands ?? []) this.#command(session, command);
    for (const { members } of batch.computations ?? []) {
      this.computations.push(members.map(({ asset }) => asset));
      this.batches.push(members.map(({ partition }) => partition));
      this.#together.push(members.map(({ attemptId }) => attemptId));
      const isKnown = members.some(({ attemptId }) => this.#held.has(attemptId) || this.#tombstones.has(attemptId));
      // What was begun is not begun again, and a part of it is not begun alone.
      for (const member of members) if (!isKnown || this.#held.has(member.attemptId)) this.#command(session, member);
    }
  }

  #command(session: OpenSession, command: StepCommand): void {
    this.commanded.push(command);
    const { attemptId, runId, epoch } = command;
    const refuse = (reason: "oldEpoch" | "tombstoned") =>
      session.listener().refused(this.name, this.instanceId, [{ attemptId, reason }]);
    if (epoch < (this.#epochs.get(runId) ?? 0)) return refuse("oldEpoch");
    this.#epochs.set(runId, epoch);
    const known = this.#held.get(attemptId);
    if (known !== undefined) {
      if (known.session !== session) {
        known.session = session;
        session.outbox.push(...known.unacknowledged);
        this.#deliver(session);
      }
      return;
    }
    if (this.#tombstones.has(attemptId)) return refuse("tombstoned");
    this.begun.push(command);
    const abort = new AbortController();
    const attempt: FakeAttempt = { command, signal: abort.signal, say: (saying) => this.#say(attemptId, saying) };
    this.#held.set(attemptId, { attempt, abort, unacknowledged: [], sequence: 0, finished: false, session });
    this.atOnceMax = Math.max(this.atOnceMax, [...this.#held.values()].filter((held) => !held.finished).length);
    void (async () => {
      const finished = await this.#compute(attempt);
      const held = this.#held.get(attemptId);
      if (held?.attempt !== attempt) return; // The instance died.
      held.finished = true;
      this.#say(attemptId, { kind: "finished", finished });
    })();
  }

  #say(attemptId: string, saying: Saying): void {
    const held = this.#held.get(attemptId);
    if (held === undefined) return;
    const report = { ...saying, attemptId, sequence: ++held.sequence, atMs: 0 } as AttemptReport;
    held.unacknowledged.push(report);
    if (held.session?.open !== true) return;
    held.session.outbox.push(report);
    const { session } = held;
    setImmediate(() => this.#deliver(session));
  }

  #deliver(session: OpenSession): void {
    if (!session.open || session.paused || session.outbox.length === 0) return;
    session.listener().reports(this.name, this.instanceId, session.outbox.splice(0));
  }

  #acknowledge(attemptId: string, sequence: number): void {
    const held = this.#held.get(attemptId);
    if (held === undefined) return;
    while ((held.unacknowledged[0]?.sequence ?? Infinity) <= sequence) held.unacknowledged.shift();
    if (!held.finished || held.unacknowledged.length > 0) return;
    this.#tombstones.add(attemptId);
    this.#held.delete(attemptId);
  }
}
