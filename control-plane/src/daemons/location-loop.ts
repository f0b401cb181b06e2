import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import type { Evaluation, EvaluationAnswer } from "../domain/evaluation.ts";
import type { StepError } from "../domain/attempt-report.ts";
import type { Handshake, LocationAddress, LocationClient, Publication } from "../grpc/location-client.ts";
import { LocationError, notConnected } from "../grpc/location-error.ts";
import type { Session } from "../grpc/session.ts";
import { readTlsFiles } from "../grpc/tls-files.ts";
import type { DefinitionErrorRow } from "../storage/schema.ts";
import { StorageError } from "../storage/storage-error.ts";
import { CircuitBreaker, type CircuitState, type CircuitTiming } from "./circuit-breaker.ts";
import { syncDefinitions } from "./definition-sync.ts";
import type { LocationListener } from "./location-listener.ts";
import { LocationStatusWriter } from "./location-status-writer.ts";
import type { LocationTarget } from "./location-target.ts";
import { WakeableWait } from "./wakeable-wait.ts";

export interface LocationLoopOptions {
  readonly pool: pg.Pool;
  readonly listener: LocationListener;
  readonly connect: (address: LocationAddress) => LocationClient;
  /** Of the daemon as it is now: a fenced daemon gets another id. */
  readonly daemonId: () => string;
  /** Grows with every session of this process. */
  readonly nextNonce: () => number;
  readonly random: () => number;
  readonly circuit: CircuitTiming;
  /** How long a module may take to start before it is reported. */
  readonly startGraceMs: number;
  readonly log: LocationLog;
}

export interface LocationLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** A probe of a circuit that is open waits no longer for the handshake. */
const probeDeadlineMs = 2_000;
/** A session that lived so long makes earlier failures forgotten; one that breaks at once does not. */
const stableMs = 5_000;
const resyncRetryMs = 1_000;
const databaseRetryMs = 1_000;

/**
 * Keeps one code location loaded: dials, shakes hands, fetches definitions, opens the session, and begins again when
 * any of it ends. Every wait has a deadline, and no other location waits with it.
 */
export class LocationLoop {
  readonly #target: LocationTarget;
  readonly #options: LocationLoopOptions;
  readonly #breaker: CircuitBreaker;
  readonly #status: LocationStatusWriter;
  #address: string | undefined;
  #stopped = false;
  #client: LocationClient | undefined;
  #session: Session | undefined;
  #instanceId: string | undefined;
  readonly #nap = new WakeableWait();
  /** The fetch of definitions that changed during a session. */
  #syncing: { readonly client: LocationClient; again: boolean; readonly ended: Promise<void> } | undefined;
  readonly #settled: Promise<void>;
  #settle: () => void = () => undefined;
  readonly #ended: Promise<void>;

  constructor(target: LocationTarget, options: LocationLoopOptions) {
    this.#target = target;
    this.#address = target.address;
    this.#options = options;
    this.#breaker = new CircuitBreaker(options.circuit);
    this.#status = new LocationStatusWriter(options.pool, (error) => this.#warn(error, "its state cannot be stored"));
    this.#settled = new Promise((resolve) => (this.#settle = resolve));
    this.#ended = this.#run();
  }

  /** Resolves once the location has loaded or its failure is stored. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  get hasSession(): boolean {
    return this.#instanceId !== undefined;
  }

  get circuit(): CircuitState {
    return this.#breaker.state;
  }

  /** The location is elsewhere now, or has just been started there: it is dialled at once. */
  addressChanged(address: string): void {
    if (address !== this.#address) {
      this.#address = address;
      this.#session?.close();
      // A call that hangs at the old address must not hold up the new one.
      this.#client?.close();
    }
    this.#nap.wake();
  }

  /** It could not even be started. */
  async failed(error: DefinitionErrorRow): Promise<void> {
    await this.#report("unreachable", error);
    this.#settle();
  }

  /** Fetches the definitions again, or dials at once. Resolves when that has been tried. */
  async reload(): Promise<void> {
    if (this.#client !== undefined && this.hasSession) await this.#resync(this.#client);
    else this.#nap.wake();
  }

  /** Has the location show a version to readers outside; answers why it could not. Throws LocationError. */
  async publish(publication: Publication, signal: AbortSignal): Promise<StepError | undefined> {
    if (this.#client !== undefined && this.hasSession) return await this.#client.publish(publication, signal);
    throw notConnected(this.#target.name);
  }

  /** Has the location evaluate a sensor. Throws LocationError. */
  async evaluate(evaluation: Evaluation, signal: AbortSignal): Promise<EvaluationAnswer> {
    if (this.#client !== undefined && this.hasSession) return await this.#client.evaluate(evaluation, signal);
    throw notConnected(this.#target.name);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#session?.close();
    this.#client?.close();
    this.#nap.wake();
    await this.#ended;
    await this.#status.close();
    this.#settle();
  }

  async #run(): Promise<void> {
    const { problem } = this.#target;
    if (problem !== undefined) {
      await this.#report("refused", problem);
      this.#settle();
      return;
    }
    while (!this.#stopped) {
      if (this.#address === undefined) {
        await this.#awaitAddress();
        continue;
      }
      const address = this.#address;
      this.#breaker.dialled();
      try {
        const lost = await this.#visit(address);
        if (this.#stopped || address !== this.#address) continue;
        await this.#sessionLost(lost);
      } catch (error) {
        if (this.#stopped || address !== this.#address) continue;
        await this.#dialFailed(address, error);
      }
      await this.#nap.wait(this.#breaker.delayMs(this.#options.random()));
    }
  }

  /** Nobody has said yet where it is: a module that is being started. */
  async #awaitAddress(): Promise<void> {
    const { name } = this.#target;
    await this.#nap.wait(this.#options.startGraceMs);
    if (this.#address !== undefined || this.#stopped) return;
    const message = `Location ${name} has not started yet.`;
    await this.#report("unreachable", {
      code: "location.not_started",
      message,
      hint: "See its output; a mistake in the module is printed there. A module entry needs `headgate dev`.",
    });
    this.#settle();
    while (this.#address === undefined && !this.#stopped) await this.#nap.wait(undefined);
  }

  /** One visit, from dialling to the end of the session. Resolves with why the session ended. */
  async #visit(address: string): Promise<Error | undefined> {
    const { name, team, token, tls } = this.#target;
    const client = this.#options.connect({
      address,
      daemonId: this.#options.daemonId(),
      ...(token === undefined ? {} : { token }),
      ...(tls === undefined ? {} : { tls: readTlsFiles(tls) }),
      ...(this.#breaker.state === "halfOpen" ? { deadlineMs: probeDeadlineMs } : {}),
    });
    this.#client = client;
    try {
      const handshake = await client.handshake();
      if (this.#stopped) return undefined;
      const applied = await syncDefinitions(this.#options.pool, client, name, team);
      if (applied !== undefined) this.#logApplied(applied);
      if (this.#stopped || address !== this.#address) return undefined;
      return await this.#hold(client, address, handshake);
    } finally {
      this.#client = undefined;
      this.#session = undefined;
      client.close();
    }
  }

  /** Opens the session and stays until it ends. Calls into the listener are in the order of the frames. */
  #hold(client: LocationClient, address: string, handshake: Handshake): Promise<Error | undefined> {
    const { listener } = this.#options;
    const { name } = this.#target;
    let credits = 0;
    let openedMs = Infinity;
    return new Promise((resolve) => {
      const hello = {
        daemonId: this.#options.daemonId(),
        nonce: this.#options.nextNonce(),
        inFlight: listener.inFlight(name),
      };
      const opened = () => this.#instanceId ?? "";
      const session = client.openSession(hello, {
        welcome: (welcome) => {
          this.#instanceId = welcome.instanceId;
          credits = welcome.credits;
          openedMs = performance.now();
          listener.sessionOpened(name, welcome.instanceId, session, credits, welcome.held);
          void this.#loaded(address, handshake, welcome.instanceId);
        },
        reports: (reports) => listener.reports(name, opened(), reports),
        refused: (refused) => listener.refused(name, opened(), refused),
        credits: (now) => {
          if (now !== credits) listener.credits(name, opened(), (credits = now));
        },
        definitionsChanged: () => void this.#resync(client),
        closed: (error) => {
          const instanceId = this.#instanceId;
          this.#instanceId = undefined;
          if (performance.now() - openedMs >= stableMs) this.#breaker.succeeded();
          try {
            if (instanceId !== undefined) listener.sessionClosed(name, instanceId);
          } finally {
            resolve(error);
          }
        },
      });
      this.#session = session;
    });
  }

  async #loaded(address: string, { pid, sdkVersion }: Handshake, instanceId: string): Promise<void> {
    this.#breaker.connected();
    const { name, team } = this.#target;
    this.#options.log.info({ location: name, address, instanceId }, `location ${name} is connected`);
    await this.#status.write({ name, team, state: "healthy", address, error: null, instanceId, pid, sdkVersion });
    this.#settle();
  }

  /** A session ends with every restart of a location: that alone is no failure, unless it hung. */
  async #sessionLost(error: Error | undefined): Promise<void> {
    this.#warn(error, "its session ended");
    this.#breaker.failed();
    if (error instanceof LocationError && error.code !== "location.silent" && !error.isRefusal) return;
    if (error !== undefined) await this.#report("unreachable", describe(error));
  }

  async #dialFailed(address: string, error: unknown): Promise<void> {
    this.#warn(error, `it cannot be loaded from ${address}`);
    // The database is away: that is not the location's doing, and there is nowhere to write it either.
    if (error instanceof StorageError) return this.#nap.wait(databaseRetryMs);
    this.#breaker.failed();
    const refused = !(error instanceof LocationError) || error.isRefusal;
    await this.#report(refused ? "refused" : "unreachable", describe(error));
    this.#settle();
  }

  /** Definitions changed while the session is open: it stays open. Changes that come meanwhile share the next turn. */
  async #resync(client: LocationClient): Promise<void> {
    if (this.#syncing?.client === client) {
      this.#syncing.again = true;
      return this.#syncing.ended;
    }
    let end: () => void = () => undefined;
    const syncing = { client, again: true, ended: new Promise<void>((resolve) => (end = resolve)) };
    this.#syncing = syncing;
    while (syncing.again && this.#client === client && !this.#stopped) {
      syncing.again = false;
      if (!(await this.#trySync(client))) {
        syncing.again = true;
        await delay(resyncRetryMs, undefined, { ref: false });
      }
    }
    if (this.#syncing === syncing) this.#syncing = undefined;
    end();
  }

  /** False: to be tried again. */
  async #trySync(client: LocationClient): Promise<boolean> {
    const { name, team } = this.#target;
    try {
      const applied = await syncDefinitions(this.#options.pool, client, name, team);
      if (applied !== undefined) this.#logApplied(applied);
      if (this.#client === client && this.hasSession) await this.#report("healthy", null);
      return true;
    } catch (error) {
      if (this.#client !== client || !this.hasSession) return true;
      this.#warn(error, "its new definitions cannot be fetched; the last good ones stay");
      if (error instanceof StorageError) return false;
      await this.#report("refused", describe(error));
      return error instanceof LocationError && error.isRefusal;
    }
  }

  async #report(state: "healthy" | "unreachable" | "refused", error: DefinitionErrorRow | null): Promise<void> {
    const { name, team } = this.#target;
    const address = this.#address;
    await this.#status.write({ name, team, state, error, ...(address === undefined ? {} : { address }) });
  }

  #logApplied({
    added,
    updated,
    removed,
    errors,
  }: {
    added: readonly string[];
    updated: readonly string[];
    removed: readonly string[];
    errors: number;
  }): void {
    const { name } = this.#target;
    const counts = { added: added.length, changed: updated.length, removed: removed.length, errors };
    this.#options.log.info({ location: name, ...counts }, `location ${name} has new definitions`);
  }

  #warn(error: unknown, what: string): void {
    const { name } = this.#target;
    if (error === undefined) return;
    this.#options.log.warn({ location: name, err: error }, `location ${name}: ${what}: ${describe(error).message}`);
  }
}

function describe(error: unknown): DefinitionErrorRow {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const { code, hint } = error as { code?: unknown; hint?: unknown };
  return {
    code: typeof code === "string" ? code : "location.failed",
    message,
    hint: typeof hint === "string" ? hint : "See the control plane's log.",
  };
}
