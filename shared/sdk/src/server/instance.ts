import { randomUUID } from "node:crypto";
import { LogStream, Outcome, RefusedCommand_Reason } from "@headgate/proto";
import type {
  AttemptEvent,
  AttemptPosition,
  CancelCommand,
  ComputationCommand,
  EvaluateRequest,
  Finished,
  PublishRequest,
  SessionRequest_Batch,
  SessionRequest_Hello,
  StepCommand,
} from "@headgate/proto";
import type { WorkerExit } from "../load/worker-process.ts";
import type { BundleReference, FromWorker, StartedCheck } from "../step/worker-protocol.ts";
import { AttemptBook } from "./attempt-book.ts";
import type { Attempt, Work } from "./attempt.ts";
import { canceledBeforeStart, checkTimedOut, finishedByExit, neverStarted, notLoaded } from "./attempt.ts";
import { Evaluations } from "./evaluations.ts";
import type { EvaluateOutcome } from "./evaluations.ts";
import { Publications } from "./publications.ts";
import type { PublishOutcome } from "./publications.ts";
import { Session } from "./session.ts";
import type { SessionSink } from "./session.ts";
import type { WorkCommand } from "./work.ts";
import { WorkerPool } from "./worker-pool.ts";

/** Results that nobody acknowledged are kept, and beyond this many no new step is taken. */
const unacknowledgedMax = 10_000;
const timeoutGraceMs = 5_000;
/** A timer of Node's holds at most 2^31 - 1 ms. */
const timerMsMax = 2_147_483_647;
const leaseDefaultMs = 45_000;
const leaseCheckMs = 250;

/**
 * What an instance of a code location knows of attempts, and the sessions that ask about them. Sessions come and go;
 * an attempt's events stay until some session acknowledges them.
 */
export class Instance {
  readonly id = randomUUID();
  readonly #pool: WorkerPool;
  readonly #publications: Publications;
  readonly #evaluations = new Evaluations();
  readonly #attempts = new AttemptBook(() => this.#changed());
  readonly #queue: Work[] = [];
  readonly #sessions = new Set<Session>();
  readonly #nonces = new Map<string, number>();
  readonly #leaseTimer: NodeJS.Timeout;
  readonly #onChange: () => void;
  readonly #onNoWorkers: () => void;
  readonly #waiting: (() => void)[] = [];
  #heartbeatAtMs = performance.now();
  #isDraining = false;
  #notLoaded: string | undefined;

  /**
   * `onChange` is called when a session opened or closed, or an attempt was settled; `onNoWorkers` when no worker
   * process can load the code.
   */
  constructor(workers: number, onChange: () => void, onNoWorkers: () => void) {
    this.#onChange = onChange;
    this.#onNoWorkers = onNoWorkers;
    this.#pool = new WorkerPool(workers, {
      message: (attemptId, message) => {
        if (!this.#publications.message(attemptId, message)) this.#message(attemptId, message);
      },
      output: (attemptId, stream, body) => {
        if (!this.#publications.output(attemptId, stream, body)) this.#output(attemptId, stream, body);
      },
      died: (attemptId, exit, pid) => {
        if (!this.#publications.died(attemptId, exit)) this.#died(attemptId, exit, pid);
      },
      free: () => {
        // First: it is short, and one at a time.
        this.#publications.dispatch();
        this.#dispatch();
      },
      cannotStart: (words) => this.#cannotStart(words),
    });
    this.#publications = new Publications(this.#pool);
    this.#leaseTimer = setInterval(() => this.#checkLeases(), leaseCheckMs);
    this.#leaseTimer.unref();
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Attempts that run, wait, or are finished and not acknowledged. */
  get heldCount(): number {
    return this.#attempts.size;
  }

  /** Resolves at the next change of sessions or attempts. */
  nextChange(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    this.#tellCredits();
    this.#onChange();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** New attempts run on this code. */
  use(bundle: BundleReference): void {
    this.#notLoaded = undefined;
    this.#pool.use(bundle);
    this.#evaluations.use(bundle);
  }

  /** There is no code to run: steps fail with these words. */
  refuseSteps(words: string): void {
    this.#notLoaded = words;
    this.#evaluations.refuse(words);
  }

  /** Shows a version to readers outside, in a worker process. */
  publish(request: PublishRequest, signal: AbortSignal): Promise<PublishOutcome> {
    return this.#isDraining ? Promise.resolve({ kind: "busy" }) : this.#publications.run(request, signal);
  }

  /** Asks a sensor what is to run, in a worker process. */
  evaluate(request: EvaluateRequest, signal: AbortSignal): Promise<EvaluateOutcome> {
    return this.#isDraining ? Promise.resolve({ kind: "busy" }) : this.#evaluations.run(request, signal);
  }

  announce(definitionsHash: string): void {
    for (const session of this.#sessions) session.definitions(definitionsHash);
  }

  drain(): void {
    this.#isDraining = true;
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    clearInterval(this.#leaseTimer);
    this.#attempts.close();
    this.#publications.close();
    for (const session of this.#sessions) session.close();
    await Promise.all([this.#pool.close(), this.#evaluations.close()]);
  }

  /** Opens a session; undefined if a newer one of this daemon was seen. */
  open(hello: SessionRequest_Hello, sink: SessionSink): Session | undefined {
    const { daemonId, nonce } = hello;
    if (nonce < (this.#nonces.get(daemonId) ?? 0)) return undefined;
    this.#nonces.set(daemonId, nonce);
    for (const other of this.#sessions) if (other.daemonId === daemonId) this.closed(other);
    this.#heartbeatAtMs = performance.now();
    const credits = this.#creditsWithout(undefined);
    const session = new Session(daemonId, nonce, sink, credits);
    this.#sessions.add(session);
    const held = this.#attempts.held();
    sink.write({ frame: { $case: "welcome", value: { instanceId: this.id, credits, held } } });
    this.#adopt(session, hello.inFlight);
    this.#changed();
    return session;
  }

  closed(session: Session): void {
    session.close();
    if (!this.#sessions.delete(session)) return;
    this.#changed();
  }

  receive(session: Session, batch: SessionRequest_Batch): void {
    for (const position of batch.acknowledgements) this.#attempts.acknowledge(position);
    for (const runId of batch.closedRuns) this.#attempts.closeRun(runId);
    for (const cancel of batch.cancels) this.#cancel(cancel);
    for (const command of batch.commands) this.#command(session, { kind: "step", command }, [command]);
    for (const command of batch.computations) this.#computation(session, command);
    if (batch.heartbeat !== undefined) {
      this.#heartbeatAtMs = performance.now();
      session.heartbeat(batch.heartbeat.nonce);
    }
    this.#tellCredits();
  }

  /** A new session takes what it names, and what nobody else listens to. */
  #adopt(session: Session, positions: readonly AttemptPosition[]): void {
    const named = new Set<string>();
    for (const position of positions) {
      const attempt = this.#attempts.get(position.attemptId);
      if (attempt === undefined) continue;
      named.add(attempt.id);
      attempt.session = session;
      this.#attempts.acknowledge(position);
    }
    for (const attempt of this.#attempts.values()) {
      if (!named.has(attempt.id) && attempt.session?.isOpen) continue;
      attempt.session = session;
      for (const event of attempt.log.events) session.event(event);
    }
  }

  /** Two at least, and none of them twice: anything else could not be told apart. */
  #computation(session: Session, command: ComputationCommand): void {
    const ids = new Set(command.members.map((member) => member.attemptId));
    if (ids.size > 0 && ids.size === command.members.length) {
      this.#command(session, { kind: "computation", command }, command.members);
    }
  }

  /** Takes all attempts of a command or none. */
  #command(session: Session, given: WorkCommand, commands: readonly StepCommand[]): void {
    const refuse = (refused: readonly StepCommand[], reason: RefusedCommand_Reason): void => {
      for (const { attemptId } of refused) session.refuse({ attemptId, reason });
    };
    if (!commands.every((command) => this.#attempts.admits(command))) {
      return refuse(commands, RefusedCommand_Reason.REASON_OLD_EPOCH);
    }
    const known = commands.flatMap(({ attemptId }) => this.#attempts.get(attemptId) ?? []);
    for (const attempt of known) this.#recommand(session, attempt);
    const ended = commands.filter(({ attemptId }) => this.#attempts.isTombstoned(attemptId));
    refuse(ended, RefusedCommand_Reason.REASON_TOMBSTONED);
    // What was begun is not begun again, and a part of it is not begun alone.
    if (known.length + ended.length > 0) return;
    // Twice the pool: a session may not know yet that a worker is being replaced, or that another session took one.
    const isFull = this.#attempts.workCount >= 2 * this.#pool.size || this.#attempts.finishedCount >= unacknowledgedMax;
    if (this.#isDraining || isFull) return refuse(commands, RefusedCommand_Reason.REASON_NO_CAPACITY);
    const work: Work = { command: given, attempts: [] };
    for (const command of commands) {
      this.#attempts.add(work, command, session, (attempt, event) => {
        this.#send(attempt, attempt.log.append(event));
      });
    }
    if (this.#notLoaded !== undefined) return this.#finishAll(work, notLoaded(this.#notLoaded));
    this.#queue.push(work);
    this.#dispatch();
  }

  /** The same command again: harmless. Whoever sends it wants to hear of the attempt. */
  #recommand(session: Session, attempt: Attempt): void {
    if (attempt.session === session) return;
    attempt.session = session;
    for (const event of attempt.log.events) session.event(event);
  }

  #dispatch(): void {
    for (let work = this.#queue[0]; work !== undefined; work = this.#queue[0]) {
      const ids = work.attempts.map(({ id }) => id);
      if (!this.#pool.run(ids, work.command)) return;
      this.#queue.shift();
      for (const attempt of work.attempts) this.#started(attempt);
    }
  }

  #started(attempt: Attempt): void {
    attempt.state = "running";
    const { timeoutMs } = attempt.command;
    if (timeoutMs <= 0 || timeoutMs > timerMsMax) return;
    attempt.timeoutTimer = setTimeout(() => this.#abort(attempt, "timedOut", timeoutGraceMs), timeoutMs);
  }

  #cancel({ attemptId, graceMs }: CancelCommand): void {
    const attempt = this.#attempts.get(attemptId);
    if (attempt === undefined) return;
    // Whoever cancels may not have heard yet that the one it names has ended.
    const { work } = attempt;
    if (attempt.state === "queued") {
      this.#unqueue(work);
      return this.#finishAll(work, canceledBeforeStart());
    }
    for (const member of work.attempts) if (member.state === "running") this.#abort(member, "canceled", graceMs);
  }

  #unqueue(work: Work): void {
    const place = this.#queue.indexOf(work);
    if (place >= 0) this.#queue.splice(place, 1);
  }

  #finishAll(work: Work, finished: Finished): void {
    for (const attempt of work.attempts) if (attempt.state !== "finished") this.#finish(attempt, finished);
  }

  #abort(attempt: Attempt, reason: "canceled" | "timedOut", graceMs: number): void {
    if (attempt.abortReason !== undefined) return;
    attempt.abortReason = reason;
    this.#pool.abort(attempt.id, reason);
    attempt.killTimer = setTimeout(() => this.#pool.kill(attempt.id), Math.min(graceMs, timerMsMax));
  }

  #message(attemptId: string, message: FromWorker): void {
    const attempt = this.#attempts.get(attemptId);
    if (attempt === undefined) return;
    switch (message.kind) {
      case "started":
        return this.#send(attempt, attempt.log.append({ $case: "started", value: {} }));
      case "computed":
        return attempt.early.computed(message.computed, message.verdicts);
      case "checkStarted":
        return this.#checkStarted(attempt, message);
      case "checkCompleted":
        clearTimeout(attempt.checkTimer);
        return attempt.early.checkCompleted(message.check);
      case "logs":
        for (const { stream, body } of message.logs) this.#log(attempt, stream, Buffer.from(body));
        return;
      case "finished":
        for (const { stream, body } of message.logs) this.#log(attempt, stream, Buffer.from(body));
        return this.#finish(attempt, attempt.early.finished(message.finished));
      case "loaded":
      case "loadFailed":
      case "described":
      case "probing":
      case "probed":
      case "published":
      case "evaluated":
      case "secrets":
      case "inspecting":
      case "trialPlanned":
      case "previewed":
    }
  }

  #output(attemptId: string, stream: "stdout" | "stderr", body: Buffer): void {
    const attempt = this.#attempts.get(attemptId);
    if (attempt === undefined) return;
    this.#log(attempt, stream === "stdout" ? LogStream.LOG_STREAM_STDOUT : LogStream.LOG_STREAM_STDERR, body);
  }

  #log(attempt: Attempt, stream: LogStream, body: Buffer): void {
    for (const event of attempt.log.appendOutput(stream, body)) this.#send(attempt, event);
  }

  #died(attemptId: string, exit: WorkerExit, pid: number | undefined): void {
    const attempt = this.#attempts.get(attemptId);
    if (attempt === undefined) return;
    this.#finish(attempt, attempt.early.finished(finishedByExit(attempt, exit, pid)));
  }

  /** A check that never gives way keeps its worker from seeing that its time is over. */
  #checkStarted(attempt: Attempt, started: { checks: readonly StartedCheck[]; timeoutMs: number }): void {
    const { checks, timeoutMs } = started;
    if (timeoutMs + timeoutGraceMs > timerMsMax) return;
    attempt.checkTimer = setTimeout(() => {
      for (const { name, checkVersion } of checks) {
        attempt.early.checkCompleted(checkTimedOut(name, checkVersion, timeoutMs));
      }
      this.#pool.kill(attempt.id);
    }, timeoutMs + timeoutGraceMs);
  }

  /** What waits for a worker would wait for ever. */
  #cannotStart(words: string): void {
    this.#onNoWorkers();
    for (const work of this.#queue.splice(0)) this.#finishAll(work, neverStarted(words));
  }

  #finish(attempt: Attempt, finished: Finished): void {
    this.#attempts.finish(attempt);
    if (finished.outcome !== Outcome.OUTCOME_CANCELED) {
      // Where only the whole counts, its end waits for the values of the others: they are durable as well.
      for (const sibling of attempt.work.attempts) if (sibling.state === "running") sibling.early.tell();
    }
    for (const event of attempt.log.appendDropped()) this.#send(attempt, event);
    this.#send(attempt, attempt.log.append({ $case: "finished", value: finished }));
    this.#tellCredits();
  }

  #send(attempt: Attempt, event: AttemptEvent): void {
    if (attempt.session?.isOpen) attempt.session.event(event);
  }

  /** An attempt that nobody has asked about for the length of its lease is given up on both sides. */
  #checkLeases(): void {
    const nowMs = performance.now();
    for (const attempt of this.#attempts.values()) {
      if (attempt.state === "finished") continue;
      const leaseMs = attempt.command.leaseMs || leaseDefaultMs;
      if (nowMs - Math.max(this.#heartbeatAtMs, attempt.receivedAtMs) < leaseMs) continue;
      if (attempt.state === "running") this.#pool.kill(attempt.id);
      else this.#unqueue(attempt.work);
      this.#attempts.bury(attempt);
    }
  }

  /** Each session may use every worker that no other one uses. */
  #tellCredits(): void {
    if (this.#sessions.size < 2 && this.#creditsAreWhole) return;
    for (const session of this.#sessions) session.credits(this.#creditsWithout(session));
    this.#creditsAreWhole = this.#sessions.size < 2;
  }

  #creditsAreWhole = true;

  #creditsWithout(session: Session | undefined): number {
    const others = new Set<Work>();
    for (const { state, session: other, work } of this.#attempts.values()) {
      if (state !== "finished" && other?.isOpen && other !== session) others.add(work);
    }
    return Math.max(1, this.#pool.size - others.size);
  }
}
