import { randomBytes } from "node:crypto";
import type { FastifyInstance, InjectOptions } from "fastify";
import { pino } from "pino";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { noQueueRules } from "../../control-plane/src/domain/run-queue.ts";
import type { ApiContext, WorkspaceView } from "../../control-plane/src/http/api-context.ts";
import { createApp } from "../../control-plane/src/http/app.ts";
import { type EventFeed, openEventFeed } from "../../control-plane/src/http/event-feed.ts";
import { type Notifications, openNotifications } from "../../control-plane/src/storage/notifications.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { assetOf, checkOf, locationOf, scheduleOf } from "../support/graph-definitions.ts";
import { PlayedDrive, type PlayedStep } from "./played-drive.ts";

const months = {
  kind: "timeWindow" as const,
  cron: "0 0 1 * *",
  timezone: "UTC",
  start: "2001-01",
  end: "2001-08",
};

const airportsConfig = {
  type: "object",
  properties: {
    name: { type: "string" },
    depth: { type: "integer" },
    limit: { type: "integer", minimum: 1 },
    source: { enum: ["faa", "icao"] },
  },
};

const segments = [
  locationOf(
    "flights",
    [
      assetOf("flights/raw_flights", [], { partitions: months }),
      assetOf("flights/clean_flights", ["flights/raw_flights"], { partitions: months, group: "daily" }),
      assetOf("flights/airports", [], { configSchema: airportsConfig }),
      assetOf("flights/weather", [], { external: { unversioned: false, hasValue: false } }),
    ],
    [
      checkOf("flights/raw_flights", "enough_rows"),
      checkOf("flights/clean_flights", "no_nulls"),
      checkOf("flights/clean_flights", "known_airports"),
      checkOf("flights/clean_flights", "no_exact_duplicates", { blocking: false }),
      checkOf("flights/weather", "signed_off", { reportedBy: "api" }),
    ],
    {
      schedules: [
        scheduleOf("flights/monthly", "0 6 1 * *", { selection: "group:daily", partitioned: true, catchUpMax: 3 }),
        scheduleOf("flights/nightly", "30 2 * * *", {
          timezone: "Europe/Berlin",
          selection: "flights/airports",
          config: { "flights/airports": { limit: 5 } },
          startsOff: true,
        }),
        scheduleOf("flights/broken", "0 0 * * *", { selection: "flights/airport" }),
      ],
    },
  ),
  locationOf("analytics", [
    assetOf("analytics/route_delays", ["flights/clean_flights", "flights/airports"], { partitions: months }),
    assetOf("analytics/half_year_summary", [{ asset: "analytics/route_delays", mode: "lastValidated", atLeast: 1 }]),
    assetOf("analytics/broken", ["flights/clean_flihgts"]),
  ]),
];

export const fixtureWorkspace: WorkspaceView = {
  teams: {
    flights: {
      contacts: ["flights@example.com"],
      oncallUrl: "https://example.com/oncall",
      runbook: "https://example.com/runbook",
    },
  },
  entries: segments.map(({ location, team }, i) => ({
    kind: "grpcServer",
    host: "127.0.0.1",
    port: 4000 + i,
    locationName: location,
    team,
    line: i + 1,
  })),
  queue: noQueueRules,
  problems: [],
};

/** July has six rows; whatever else is asked for passes. */
export function julyFails(step: { asset_key: string; partition_key: string; checks: readonly string[] }): PlayedStep {
  const july = step.asset_key === "flights/raw_flights" && step.partition_key === "2001-07";
  return {
    checks: step.checks.map((name) =>
      july
        ? {
            name,
            outcome: "failed",
            description: "fewer rows than 10,000 a day",
            metadata: [
              { name: "observed", kind: "integer", value: 6 },
              { name: "needed", kind: "integer", value: 310_000 },
            ],
          }
        : { name, outcome: name === "no_exact_duplicates" ? "warned" : "passed" },
    ),
  };
}

let lastMs = 0;
/** A UUIDv7: ids made later sort later. */
export function newId(): string {
  lastMs = Math.max(Date.now(), lastMs + 1);
  const bytes = randomBytes(16);
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** What a server answered, read as a user reads it. */
export type Answer = ReturnType<JSON["parse"]>;

export interface Answered {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  readonly json: Answer;
}

/** The API over a real database, with two teams' definitions and a played drive behind it. */
export class ApiFixture {
  say: (step: { asset_key: string; partition_key: string; checks: readonly string[] }) => PlayedStep = julyFails;
  readonly database: TestDatabase;
  readonly notifications: Notifications;
  readonly events: EventFeed;
  readonly context: ApiContext;
  readonly app: FastifyInstance;
  readonly drive: PlayedDrive;

  private constructor(
    database: TestDatabase,
    notifications: Notifications,
    events: EventFeed,
    app: FastifyInstance,
    context: ApiContext,
  ) {
    this.database = database;
    this.notifications = notifications;
    this.events = events;
    this.context = context;
    this.app = app;
    this.drive = new PlayedDrive(database.pool, context.graph, (step) => this.say(step));
  }

  static async open(options: Partial<ApiContext> = {}): Promise<ApiFixture> {
    const database = await testDatabase();
    await database.pool.query("select ensure_event_partitions()");
    const notifications = openNotifications(database.url);
    const events = await openEventFeed(database.db, notifications);
    const graph = buildGraph(segments, new Map());
    const context: ApiContext = {
      pool: database.pool,
      db: database.db,
      graph: () => graph,
      workspace: () => fixtureWorkspace,
      now: () => Date.now(),
      newId,
      events,
      actor: "ada",
      ...options,
    };
    const app = await createApp(context, { logger: pino({ level: "error" }) });
    for (const { location, team, assets } of segments) {
      await database.pool.query(
        "insert into locations (name, team, state, address, loaded_at) values ($1, $2, 'healthy', '127.0.0.1:1', now())",
        [location, team],
      );
      for (const { definition } of assets) {
        await database.pool.query("insert into asset_gate (asset_key) values ($1)", [definition.key]);
      }
    }
    for (const { name, location, times } of graph.schedules.values()) {
      await database.pool.query(
        "insert into automations (name, kind, location, cadence, watermark) values ($1, 'schedule', $2, $3, now())",
        [name, location, times.text],
      );
    }
    const fixture = new ApiFixture(database, notifications, events, app, context);
    await fixture.drive.open();
    return fixture;
  }

  async ask(method: "GET" | "POST" | "DELETE", url: string, body?: unknown, headers = {}): Promise<Answered> {
    const options: InjectOptions = { method, url, headers: { host: "localhost", ...headers } };
    if (body !== undefined) Object.assign(options, { payload: body as object });
    const response = await this.app.inject(options);
    const type = String(response.headers["content-type"] ?? "");
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.payload,
      json: type.includes("json") ? response.json() : undefined,
    };
  }

  get(url: string): Promise<Answered> {
    return this.ask("GET", url);
  }

  post(url: string, body?: unknown, headers = {}): Promise<Answered> {
    return this.ask("POST", url, body, headers);
  }

  /** Launches and plays a run to its end; its id. */
  async run(selection: string, partitions?: string): Promise<string> {
    const { status, json, text } = await this.post("/api/v1/runs", { selection, ...(partitions && { partitions }) });
    if (status !== 201) throw new Error(text);
    await this.drive.playAll();
    return json.id;
  }

  async newestVersion(asset: string, partition = ""): Promise<Answer> {
    const { json } = await this.get(
      `/api/v1/assets/${encodeURIComponent(asset)}/versions?partition=${encodeURIComponent(partition)}`,
    );
    return json.items.find((version: Answer) => version.newest);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.events.close();
    await this.notifications.close();
    await this.database.drop();
  }
}
