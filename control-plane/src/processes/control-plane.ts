import { userInfo } from "node:os";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { v7 as newId } from "uuid";
import { type QueueRules, noQueueRules } from "../domain/run-queue.ts";
import { Daemon } from "../daemons/daemon.ts";
import { GraphMirror } from "../daemons/graph-mirror.ts";
import { LocationSync, workspaceTargets } from "../daemons/location-sync.ts";
import { notConnected } from "../grpc/location-error.ts";
import { createApp } from "../http/app.ts";
import { type EventFeed, openEventFeed } from "../http/event-feed.ts";
import type { ApiToken } from "../http/tokens.ts";
import { isAlive, processIdentity } from "./process-identity.ts";
import { type Database, openDatabase } from "../storage/database.ts";
import { type Notifications, openNotifications } from "../storage/notifications.ts";
import { type WorkspaceWatch, watchWorkspace } from "../workspace/watch-workspace.ts";
import { type Workspace, type WorkspaceEntry, entriesWithLastGood } from "../workspace/workspace.ts";

export interface ControlPlaneOptions {
  readonly databaseUrl: string;
  /** Path of workspace.yaml. */
  readonly workspace: string;
  readonly log: ProcessLog;
}

export type ProcessLog = ReturnType<typeof processLog>;

/** JSON lines on stderr; `HEADGATE_LOG_LEVEL` sets the level, "warn" in dev and "info" elsewhere. */
export function processLog(level: string) {
  return pino({ level: process.env["HEADGATE_LOG_LEVEL"] ?? level, base: null }, pino.destination(2));
}

/** The name that rows of `audit` bear where no token tells who acts: the operating system's user. */
export function operatingSystemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown";
  }
}

export interface StartedDaemon {
  readonly daemon: Daemon;
  readonly sync: LocationSync;
  /** Follows a change of the workspace; returns the entries to run, with the last good ones where it is wrong now. */
  readonly setWorkspace: (workspace: Workspace) => Promise<readonly WorkspaceEntry[]>;
}

/** What api, daemon and dev have in common: the database, the graph and the workspace. */
export class ControlPlane {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly mirror: GraphMirror;
  readonly log: ProcessLog;
  readonly #databaseUrl: string;
  readonly #workspaceListeners = new Set<(workspace: Workspace) => void>();
  readonly #closing: (() => Promise<void>)[] = [];
  #workspace: Workspace | undefined;
  /** The last good ones. */
  #queueRules: QueueRules = noQueueRules;
  #watch: WorkspaceWatch | undefined;

  private constructor(databaseUrl: string, parts: Pick<ControlPlane, "database" | "notifications" | "mirror" | "log">) {
    this.#databaseUrl = databaseUrl;
    this.database = parts.database;
    this.notifications = parts.notifications;
    this.mirror = parts.mirror;
    this.log = parts.log;
  }

  /** Opens the database and reads the graph and the workspace. */
  static async open(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { databaseUrl, log } = options;
    const database = openDatabase(databaseUrl, { max: 20 });
    const notifications = openNotifications(databaseUrl);
    const onError = (error: unknown) => log.error({ err: error }, `graph: ${String(error)}`);
    const mirror = await GraphMirror.open({ pool: database.pool, notifications, onError });
    const plane = new ControlPlane(databaseUrl, { database, notifications, mirror, log });
    await new Promise<void>((resolve) => {
      plane.#watch = watchWorkspace(options.workspace, (workspace) => {
        plane.#workspace = workspace;
        plane.#queueRules = workspace.queue ?? plane.#queueRules;
        for (const listener of plane.#workspaceListeners) listener(workspace);
        resolve();
      });
    });
    return plane;
  }

  /** Calls back after every change of workspace.yaml. */
  onWorkspaceChange(listener: (workspace: Workspace) => void): void {
    this.#workspaceListeners.add(listener);
  }

  /** What workspace.yaml says now. */
  get workspace(): Workspace {
    if (this.#workspace === undefined) throw new Error("the workspace was not read");
    return this.#workspace;
  }

  /** Starts the loops, and keeps the workspace's locations loaded. */
  async startDaemon({ firesSchedules = true, evaluatesSensors = true } = {}): Promise<StartedDaemon> {
    const { database, notifications, mirror, log } = this;
    const flush = openDatabase(this.#databaseUrl, { max: 1, applicationName: "headgate drive" });
    this.#closing.push(() => flush.close());
    const locations: { connected?: LocationSync } = {};
    const daemon = new Daemon({
      pool: database.pool,
      flushPool: flush.pool,
      db: database.db,
      notifications,
      log,
      graph: () => mirror.current(),
      graphEpoch: () => mirror.epoch(),
      refreshGraph: async () => void (await mirror.refresh()),
      teamOf: (location) => this.workspace.entries.find((entry) => entry.locationName === location)?.team,
      queueRules: () => this.#queueRules,
      // They are connected once the daemon has started.
      locations: {
        isConnected: (location) => locations.connected?.isConnected(location) ?? false,
        publish: async (location, publication, signal) => {
          if (locations.connected === undefined) throw notConnected(location);
          return await locations.connected.publish(location, publication, signal);
        },
        evaluate: async (location, evaluation, signal) => {
          if (locations.connected === undefined) throw notConnected(location);
          return await locations.connected.evaluate(location, evaluation, signal);
        },
      },
      now: Date.now,
      newId: () => newId(),
      firesSchedules,
      evaluatesSensors,
      processes: {
        ownStart: processIdentity(process.pid)?.startTime ?? "",
        isAlive: (pid, startTime) => isAlive({ pid, startTime }),
      },
    });
    await daemon.start();
    const stopListening = mirror.onChange(() => daemon.definitionsChanged());
    const sync = new LocationSync({
      pool: database.pool,
      daemonId: () => daemon.id,
      log,
      listener: daemon.listener,
    });
    locations.connected = sync;
    let entries: readonly WorkspaceEntry[] = [];
    const setWorkspace = async (workspace: Workspace): Promise<readonly WorkspaceEntry[]> => {
      entries = entriesWithLastGood(entries, workspace);
      daemon.queueRulesChanged();
      await sync.setTargets(workspaceTargets(entries, workspace, process.env));
      return entries;
    };
    await setWorkspace(this.workspace);
    this.#closing.push(() => sync.close());
    this.#closing.push(async () => {
      stopListening();
      await daemon.stop();
    });
    return { daemon, sync, setWorkspace };
  }

  /** The HTTP API; the caller listens. */
  async createApi(
    tokens: readonly ApiToken[] | undefined,
    hosts: readonly string[],
  ): Promise<{ app: FastifyInstance; events: EventFeed }> {
    const { database, notifications, mirror, log } = this;
    const events = await openEventFeed(database.db, notifications);
    const app = await createApp(
      {
        pool: database.pool,
        db: database.db,
        graph: () => mirror.current(),
        refreshGraph: () => mirror.refresh(),
        workspace: () => ({ ...this.workspace, queue: this.#queueRules }),
        now: Date.now,
        newId: () => newId(),
        events,
        actor: operatingSystemUser(),
        tokens,
      },
      { logger: log, hosts },
    );
    this.#closing.push(async () => {
      await app.close();
      await events.close();
    });
    return { app, events };
  }

  /** Ends what was started, the last first, then the database connections. */
  async close(): Promise<void> {
    this.#watch?.close();
    for (const close of this.#closing.reverse()) await close();
    await this.mirror.close();
    await this.notifications.close();
    await this.database.close();
  }
}
