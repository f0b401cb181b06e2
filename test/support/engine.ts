import { createHash } from "node:crypto";
import { v7 as newId } from "uuid";
import { Daemon, type DaemonOptions } from "../../control-plane/src/daemons/daemon.ts";
import { GraphMirror } from "../../control-plane/src/daemons/graph-mirror.ts";
import { type Definition, definitionKey } from "../../control-plane/src/domain/definitions.ts";
import type { LocationSegment } from "../../control-plane/src/domain/graph.ts";
import type { ManifestEntry, ReceivedDefinition } from "../../control-plane/src/domain/manifest.ts";
import { type QueueRules, noQueueRules } from "../../control-plane/src/domain/run-queue.ts";
import { plan } from "../../control-plane/src/domain/plan.ts";
import { type PlanRequest, planTargets } from "../../control-plane/src/domain/plan-targets.ts";
import type { Plan } from "../../control-plane/src/domain/planned-step.ts";
import { ancestors } from "../../control-plane/src/domain/root-reasons.ts";
import { appendEvents } from "../../control-plane/src/storage/append-events.ts";
import { writeAudit } from "../../control-plane/src/storage/audit.ts";
import { requestCancel } from "../../control-plane/src/storage/cancel-run.ts";
import { type NewRun, createRun } from "../../control-plane/src/storage/create-run.ts";
import { openDatabase, withTransaction } from "../../control-plane/src/storage/database.ts";
import { applyManifest } from "../../control-plane/src/storage/definitions.ts";
import { loadGateView } from "../../control-plane/src/storage/gate-state.ts";
import { type Notifications, openNotifications } from "../../control-plane/src/storage/notifications.ts";
import { type Violation, verify } from "../../control-plane/src/storage/verify.ts";
import { type TestDatabase, testDatabase } from "./database.ts";
import type { FakeLocation } from "./fake-location.ts";

function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

export interface EngineOptions {
  /** Of the daemons' clocks. */
  readonly now?: () => number;
  /** Whether the process of another daemon of this host lives. Default: it does. */
  readonly isAlive?: (pid: number) => boolean;
  /** Default: a daemon evaluates sensors when they are due. */
  readonly evaluatesSensors?: boolean;
  /** Who publishes and evaluates. Default: nobody is connected. */
  readonly locations?: DaemonOptions["locations"];
  readonly queueRules?: () => QueueRules;
  readonly flushPool?: (pool: DaemonOptions["flushPool"]) => DaemonOptions["flushPool"];
}

const nobody: DaemonOptions["locations"] = {
  isConnected: () => false,
  publish: () => Promise.resolve(undefined),
  evaluate: () => Promise.reject(new Error("nobody is connected")),
};

/** The control plane without its API: a real database, the graph of given definitions, and daemons over them. */
export class Engine {
  readonly database: TestDatabase;
  readonly notifications: Notifications;
  readonly mirror: GraphMirror;
  readonly daemons: Daemon[] = [];
  /** What daemons complained of. */
  readonly complaints: string[] = [];
  readonly #closing: (() => Promise<unknown>)[] = [];

  private constructor(database: TestDatabase, notifications: Notifications, mirror: GraphMirror) {
    this.database = database;
    this.notifications = notifications;
    this.mirror = mirror;
  }

  static async open(segments: readonly LocationSegment[] = []): Promise<Engine> {
    const database = await testDatabase({ max: 10 });
    await database.pool.query("select ensure_event_partitions()");
    for (const segment of segments) await applySegment(database, segment);
    const notifications = openNotifications(database.url);
    const mirror = await GraphMirror.open({ pool: database.pool, notifications });
    return new Engine(database, notifications, mirror);
  }

  get pool(): TestDatabase["pool"] {
    return this.database.pool;
  }

  /** A location's new definitions, as a reload would bring them. */
  async define(segment: LocationSegment): Promise<void> {
    await applySegment(this.database, segment);
    await this.mirror.refresh();
    await this.pool.query("select pg_notify('headgate_events', '')");
  }

  /** Starts a daemon with the connections that it has in production, and sessions with these locations. */
  async startDaemon(locations: readonly FakeLocation[] = [], options: EngineOptions = {}): Promise<Daemon> {
    const own = openDatabase(this.database.url, { max: 10, applicationName: "headgate daemon" });
    const flush = openDatabase(this.database.url, { max: 1, applicationName: "headgate drive" });
    const log = (_: object, message: string): void => void this.complaints.push(message);
    const daemon = new Daemon({
      pool: own.pool,
      flushPool: options.flushPool?.(flush.pool) ?? flush.pool,
      db: own.db,
      notifications: this.notifications,
      graph: () => this.mirror.current(),
      graphEpoch: () => this.mirror.epoch(),
      refreshGraph: async () => void (await this.mirror.refresh()),
      teamOf: (location) => location.split("-")[0],
      queueRules: options.queueRules ?? (() => noQueueRules),
      locations: options.locations ?? nobody,
      evaluatesSensors: options.evaluatesSensors ?? true,
      newId,
      now: options.now ?? Date.now,
      log: { info: () => undefined, error: log },
      processes: { ownStart: "", isAlive: options.isAlive ?? (() => true) },
    });
    await daemon.start();
    this.mirror.onChange(() => daemon.definitionsChanged());
    this.daemons.push(daemon);
    for (const location of locations) location.connect(listenerOf(daemon));
    this.#closing.push(async () => {
      await daemon.stop();
      await Promise.all([own.close(), flush.close()]);
    });
    return daemon;
  }

  async plan(request: PlanRequest): Promise<Plan> {
    const graph = this.mirror.current();
    const targets = planTargets(graph, request, Date.now());
    if (!targets.ok) throw new Error(`${targets.code}: ${targets.message}`);
    const keys = ancestors(targets.targets.map(({ node }) => node)).map((node) => node.key);
    const result = plan(graph, request, await loadGateView(this.pool, keys), Date.now());
    if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
    return result.plan;
  }

  /** Launches a run as the API would. */
  async launch(selection: string, more: Partial<NewRun> & { readonly partitions?: string } = {}): Promise<string> {
    const { partitions } = more;
    const planned = more.plan ?? (await this.plan({ selection, ...(partitions === undefined ? {} : { partitions }) }));
    const id = newId();
    await withTransaction(this.pool, (tx) =>
      createRun(tx, { id, source: "manual", actor: "ada", selection, ...more, plan: planned }),
    );
    await this.pool.query("select pg_notify('headgate_runs', '')");
    return id;
  }

  /** Asks for a run to be canceled as the API does. */
  async cancel(run: string): Promise<void> {
    await withTransaction(this.pool, async (tx) => {
      await requestCancel(tx, run, "ada");
      await writeAudit(tx, { actor: "ada", action: "run.cancel", subject: run, details: {} });
      await appendEvents(tx, [{ kind: "run_cancel_requested", runId: run, payload: { actor: "ada" } }]);
    });
    await this.pool.query("select pg_notify('headgate_runs', '')");
  }

  /** Resolves once the query returns a row; it is asked again after everything that is recorded. */
  async until<T extends object>(query: string, values: readonly unknown[] = [], timeoutMs = 15_000): Promise<T> {
    let wake: () => void = () => undefined;
    const unsubscribe = await this.notifications.subscribe("headgate_events", () => wake());
    const deadline = performance.now() + timeoutMs;
    try {
      for (;;) {
        const heard = new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 100).unref();
        });
        const { rows } = await this.pool.query<T>(query, [...values]);
        if (rows[0] !== undefined) return rows[0];
        if (performance.now() > deadline) throw new Error(`never so: ${query}\n${this.complaints.join("\n")}`);
        await heard;
      }
    } finally {
      unsubscribe();
    }
  }

  /** How a run ended. */
  async ended(run: string, timeoutMs?: number): Promise<string> {
    const text = "select state from runs where id = $1 and ended_at is not null";
    return (await this.until<{ state: string }>(text, [run], timeoutMs)).state;
  }

  /** Runs to the end and tells how. */
  async run(selection: string, more: Partial<NewRun> & { readonly partitions?: string } = {}): Promise<string> {
    return this.ended(await this.launch(selection, more));
  }

  /** State of each step, by asset and partition, in the order of the plan: "team/asset 2001-01 succeeded". */
  async steps(run: string): Promise<string[]> {
    const { rows } = await this.pool.query<{ line: string }>(
      `select concat_ws(' ', asset_key, nullif(partition_key, ''), case kind when 'checks' then 'checks' end, state) as line
       from steps where run_id = $1 order by index`,
      [run],
    );
    return rows.map(({ line }) => line);
  }

  async count(query: string, values: readonly unknown[] = []): Promise<number> {
    const { rows } = await this.pool.query<{ count: number }>(`select count(*) as count ${query}`, [...values]);
    return rows[0]?.count ?? 0;
  }

  /** Kinds of a run's events, in order, with what they are about. */
  async events(run: string): Promise<string[]> {
    const { rows } = await this.pool.query<{ line: string }>(
      "select concat_ws(' ', kind, asset_key, nullif(partition_key, '')) as line from events where run_id = $1 order by seq",
      [run],
    );
    return rows.map(({ line }) => line);
  }

  /** What the history checker finds. */
  violations(): Promise<Violation[]> {
    return verify(this.pool);
  }

  async close(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
    await this.mirror.close();
    await this.notifications.close();
    await this.database.drop();
  }
}

/** One function a daemon, so that a location that comes back is known to be the same. */
const listeners = new WeakMap<Daemon, () => Daemon["drive"]["contact"]>();
export function listenerOf(daemon: Daemon): () => Daemon["drive"]["contact"] {
  const known = listeners.get(daemon) ?? (() => daemon.drive.contact);
  listeners.set(daemon, known);
  return known;
}

async function applySegment({ pool }: TestDatabase, segment: LocationSegment): Promise<void> {
  const { location, team, assets, checks, schedules = [], sensors = [] } = segment;
  const definitions = new Map<string, ReceivedDefinition>();
  const entries: ManifestEntry[] = [];
  for (const { definition } of [...assets, ...checks, ...schedules, ...sensors] as { definition: Definition }[]) {
    const hash = hashOf(definition);
    definitions.set(hash, { ok: true, definition });
    entries.push({ kind: definition.kind, key: definitionKey(definition), hash });
  }
  await withTransaction(pool, (tx) =>
    applyManifest(tx, { location, team, definitionsHash: hashOf(entries), buildId: "test", entries, definitions }),
  );
}
