import { hostname } from "node:os";
import type { Kysely } from "kysely";
import type pg from "pg";
import type { Graph } from "../domain/graph.ts";
import type { QueueRules } from "../domain/run-queue.ts";
import { withTransaction } from "../storage/database.ts";
import { daemonsOfHost, deleteDaemon, deleteDeadDaemons, insertDaemon, renewDaemon } from "../storage/daemons.ts";
import { ensureEventPartitions, expireWaivers } from "../storage/expire-waivers.ts";
import type { Notifications } from "../storage/notifications.ts";
import { removeHistory } from "../storage/remove-history.ts";
import type { Schema } from "../storage/schema.ts";
import { Automation } from "./automation.ts";
import { Backfills } from "./backfills.ts";
import { RunDrive } from "./drive/run-drive.ts";
import type { LocationListener } from "./location-listener.ts";
import { LogFollower } from "./log-follower.ts";
import { Loop } from "./loop.ts";
import { Publisher, type PublishingLocations } from "./publisher.ts";
import { Schedules } from "./schedules.ts";
import { type EvaluatingLocations, Sensors } from "./sensors.ts";

export interface DaemonOptions {
  readonly pool: pg.Pool;
  /** One connection, for the run drive alone. */
  readonly flushPool: Pick<pg.Pool, "query">;
  readonly db: Kysely<Schema>;
  readonly notifications: Notifications;
  readonly graph: () => Graph;
  /** The gate epoch of the definitions that `graph` shows. */
  readonly graphEpoch: () => number;
  /** The definitions changed: make `graph` newest, then resolve. */
  readonly refreshGraph: () => Promise<void>;
  readonly teamOf: (location: string) => string | undefined;
  /** What the run queue is ruled by now. */
  readonly queueRules: () => QueueRules;
  readonly locations: PublishingLocations & EvaluatingLocations;
  readonly newId: () => string;
  readonly now: () => number;
  readonly log: { info(fields: object, message: string): void; error(fields: object, message: string): void };
  /** False: sensors are evaluated only when that is asked for. Default true. */
  readonly evaluatesSensors?: boolean;
  /** This process's start time as the operating system tells it, and whether another process still lives. */
  /** Default true; false: somebody else fires what is due, or nobody. */
  readonly firesSchedules?: boolean;
  readonly processes: { readonly ownStart: string; isAlive(pid: number, start: string): boolean };
}

const renewEveryMs = 2_000;
const takeoverEveryMs = 1_000;
const waiversEveryMs = 1_000;
const removalEveryMs = 1_000;
const maintenanceEveryMs = 60_000;

/**
 * One daemon: its row, the run drive, automation, schedules, sensors, publications, housekeeping. When its row is taken from
 * it, it starts again under a new id; `drive` is then a new one.
 */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly automation: Automation;
  readonly publisher: Publisher;
  readonly schedules: Schedules | undefined;
  #backfills: Backfills | undefined;
  readonly sensors: Sensors;
  readonly #loops: Loop[] = [];
  readonly #follower: LogFollower;
  #drive: RunDrive | undefined;
  #id = "";
  readonly #exited = new Set<string>();
  #stopped = false;
  #restarting: Promise<void> | undefined;
  readonly #unsubscribe: (() => void)[] = [];

  constructor(options: DaemonOptions) {
    this.#options = options;
    const { pool, graph, now, newId } = options;
    this.automation = new Automation({
      pool,
      graph,
      now,
      newId,
      requested: () => {
        this.#drive?.claim();
        options.notifications.notifySoon("headgate_runs", "");
      },
      failed: (error) => this.#failed("automation", error),
    });
    this.schedules = options.firesSchedules === false ? undefined : this.#makeSchedules();
    this.publisher = new Publisher({
      pool,
      graph,
      now,
      daemonId: () => this.#id,
      locations: options.locations,
      recorded: () => options.notifications.notifySoon("headgate_events", ""),
      failed: (error) => this.#failed("publications", error),
    });
    this.sensors = this.#makeSensors();
    this.#follower = new LogFollower({
      db: options.db,
      notifications: options.notifications,
      failed: (error) => this.#failed("log", error),
      news: (news) => {
        void this.#heard(news.definitionsChanged).then(() => {
          this.#drive?.changed(news.assets);
          if (news.poolsChanged) this.#drive?.poolsChanged();
          this.automation.wake();
          this.publisher.touch(news.assets);
          this.#backfills?.touch();
        });
      },
    });
  }

  /** Identifies this incarnation. */
  get id(): string {
    return this.#id;
  }

  /** The drive that sessions report to; it changes when the daemon is fenced. */
  get drive(): RunDrive {
    if (this.#drive === undefined) throw new Error("the daemon has not started");
    return this.#drive;
  }

  /** Takes in what sessions with locations tell, for whichever drive there is. */
  get listener(): LocationListener {
    return {
      sessionOpened: (location, ...args) => {
        this.drive.contact.sessionOpened(location, ...args);
        this.publisher.locationOpened(location);
        this.#backfills?.touch();
        this.sensors.locationOpened(location);
      },
      reports: (...args) => this.drive.contact.reports(...args),
      refused: (...args) => this.drive.contact.refused(...args),
      credits: (...args) => this.drive.contact.credits(...args),
      sessionClosed: (...args) => this.drive.contact.sessionClosed(...args),
      inFlight: (location) => this.drive.contact.inFlight(location),
    };
  }

  async start(): Promise<void> {
    const { pool } = this.#options;
    await ensureEventPartitions(pool);
    await this.#follower.start();
    await this.#takeOver();
    await this.#incarnate();
    const { notifications } = this.#options;
    this.#unsubscribe.push(await notifications.subscribe("headgate_runs", () => this.#drive?.claim()));
    this.#unsubscribe.push(await notifications.subscribe("headgate_schedules", () => this.schedules?.changed()));
    this.#backfills = this.#startBackfills();
    this.#unsubscribe.push(await notifications.subscribe("headgate_backfills", () => this.#backfills?.wake()));
    this.#unsubscribe.push(await notifications.subscribe("headgate_sensors", () => this.sensors.changed()));
    this.#loop("renewal", renewEveryMs, async () => {
      const id = this.#id;
      if (!(await renewDaemon(pool, id)) && id === this.#id) this.#fenced();
    });
    this.#loop("takeover", takeoverEveryMs, () => this.#takeOver());
    this.#loop("waivers", waiversEveryMs, async () => {
      if ((await withTransaction(pool, expireWaivers)) > 0)
        this.#options.notifications.notifySoon("headgate_events", "");
    });
    this.#loop("removal", removalEveryMs, () => this.#removeHistories());
    this.#loop("maintenance", maintenanceEveryMs, () => ensureEventPartitions(pool));
    this.automation.wake();
    this.publisher.definitionsChanged();
    this.schedules?.changed();
    this.sensors.changed();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    await this.#restarting;
    await this.#backfills?.stop();
    await this.automation.stop();
    await this.schedules?.stop();
    await this.sensors.stop();
    await this.publisher.stop();
    await this.#follower.stop();
    await this.#drive?.stop();
    await deleteDaemon(this.#options.pool, this.#id).catch(() => undefined);
  }

  /** The rules of the queue have changed. */
  queueRulesChanged(): void {
    this.#drive?.claim();
  }

  /** The graph was rebuilt. */
  definitionsChanged(): void {
    this.#drive?.definitionsChanged();
    this.automation.definitionsChanged();
    this.publisher.definitionsChanged();
    this.schedules?.changed();
    this.sensors.changed();
  }

  #makeSchedules(): Schedules {
    const { pool, graph, now, newId, notifications } = this.#options;
    return new Schedules({
      pool,
      graph,
      graphIsOld: () => void this.#heard(true),
      now,
      newId,
      fired: (_ticks, runs) => {
        notifications.notifySoon("headgate_events", "");
        if (runs === 0) return;
        this.#drive?.claim();
        notifications.notifySoon("headgate_runs", "");
      },
      failed: (error) => this.#failed("schedules", error),
    });
  }

  #startBackfills(): Backfills {
    const { pool, graph, now, newId, notifications } = this.#options;
    return new Backfills({
      pool,
      graph,
      now,
      newId,
      isReachable: (location) => this.#drive?.reaches(location) ?? false,
      advanced: (runs) => {
        notifications.notifySoon("headgate_events", "");
        if (runs === 0) return;
        this.#drive?.claim();
        notifications.notifySoon("headgate_runs", "");
      },
      failed: (error) => this.#failed("backfills", error),
    });
  }

  #makeSensors(): Sensors {
    const { pool, graph, refreshGraph, now, newId, notifications, locations, evaluatesSensors = true } = this.#options;
    return new Sensors({
      pool,
      graph,
      refreshGraph,
      now,
      newId,
      locations,
      evaluatesWhenDue: evaluatesSensors,
      daemonId: () => this.#id,
      monotonic: () => performance.now(),
      random: Math.random,
      recorded: (runs) => {
        notifications.notifySoon("headgate_events", "");
        if (runs === 0) return;
        this.#drive?.claim();
        notifications.notifySoon("headgate_runs", "");
      },
      failed: (error) => this.#failed("sensors", error),
    });
  }

  async #heard(definitionsChanged: boolean): Promise<void> {
    if (!definitionsChanged) return;
    try {
      await this.#options.refreshGraph();
    } catch (error) {
      this.#failed("graph", error);
    }
    this.definitionsChanged();
  }

  async #incarnate(): Promise<void> {
    const { pool, newId, processes, graph, graphEpoch, teamOf, queueRules, now } = this.#options;
    this.#id = newId();
    await insertDaemon(pool, { id: this.#id, host: hostname(), pid: process.pid, processStart: processes.ownStart });
    const drive = new RunDrive({
      pool,
      flushPool: this.#options.flushPool,
      daemon: this.#id,
      exited: this.#exited,
      graphIsOld: () => void this.#heard(true),
      refreshGraph: () => this.#options.refreshGraph(),
      world: {
        graph,
        graphEpoch,
        teamOf,
        queueRules,
        now,
        newId,
        monotonic: () => performance.now(),
        random: Math.random,
      },
      committed: ({ first, last, assets }) => {
        this.#follower.advance(first, last);
        this.#options.notifications.notifySoon("headgate_events", String(last));
        this.automation.touch(assets, last);
        this.publisher.touch(assets);
        this.#backfills?.touch();
      },
      fenced: () => this.#fenced(),
      failed: (error) => this.#failed("drive", error),
    });
    this.#drive = drive;
    drive.start();
  }

  /** Somebody took this daemon for dead, or the fate of a flush is unknown: memory is void, and it begins anew. */
  #fenced(): void {
    if (this.#stopped || this.#restarting !== undefined) return;
    this.#options.log.error(
      { daemon: this.#id },
      "this daemon's row or its database is gone: starting again under a new id",
    );
    const old = this.#drive;
    this.#restarting = (async () => {
      await old?.stop();
      while (!this.#stopped) {
        try {
          // Once the row is gone, no flush of the old drive commits any more, wherever it may be on its way.
          await deleteDaemon(this.#options.pool, this.#id);
          await this.#incarnate();
          old?.contact.abandonSessions(); // Not earlier: who comes back is to meet the new drive.
          return;
        } catch (error) {
          this.#failed("restart", error);
          await new Promise((resolve) => setTimeout(resolve, 1_000));
        }
      }
    })().finally(() => {
      this.#restarting = undefined;
    });
  }

  /** Deletes daemons that stopped renewing, and those on this host whose process is gone. */
  async #takeOver(): Promise<void> {
    const { pool, processes } = this.#options;
    const gone = (await daemonsOfHost(pool, hostname()))
      .filter((daemon) => daemon.id !== this.#id && !processes.isAlive(daemon.pid, daemon.processStart))
      .map((daemon) => daemon.id);
    const dead = await deleteDeadDaemons(pool, this.#id === "" ? undefined : this.#id, gone);
    if (dead.length > 0) {
      this.#options.log.info({ daemons: dead }, "took over the runs of daemons that are gone");
      this.#drive?.claim();
    }
  }

  /** Of assets that were deleted, as far as no other daemon is at it. */
  async #removeHistories(): Promise<void> {
    while (!this.#stopped) {
      const turn = await removeHistory(this.#options.pool);
      if (turn === undefined) return;
      if (turn === "ended") this.#options.notifications.notifySoon("headgate_events", "");
    }
  }

  #loop(name: string, everyMs: number, work: () => Promise<unknown>): void {
    this.#loops.push(new Loop({ everyMs, work, failed: (error) => this.#failed(name, error) }));
  }

  #failed(loop: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#options.log.error({ loop, err: error }, `${loop}: ${message}`);
  }
}
