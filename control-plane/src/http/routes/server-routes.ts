import { countRuns } from "../../storage/runs-read.ts";
import { eventBounds } from "../../storage/events-read.ts";
import { listDaemons } from "../../storage/daemons-read.ts";
import { listLocations } from "../../storage/locations-read.ts";
import { migrationStatus } from "../../storage/migrate.ts";
import type { ApiContext } from "../api-context.ts";
import { openApiDocument } from "../openapi.ts";
import { presentTime } from "../present-run.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";

let document: Record<string, unknown> | undefined;

export const serverRoutes: Pick<Handlers, "health" | "ready" | "openapi" | "getSystem"> = {
  async health() {
    return { status: "ok" };
  },

  async ready(context) {
    const { schema } = await migrationStatus(context.pool);
    if (schema === "outdated" || schema === "newerBreaking" || schema === "changed") {
      throw new Problem(
        "service.not_ready",
        `The schema of the database is ${schema}.`,
        "See: npx headgate migrate --status",
      );
    }
    const rows = new Map((await listLocations(context.db)).map((row) => [row.name, row.state]));
    const locations = Object.fromEntries(
      context.workspace().entries.map(({ locationName }) => [locationName, rows.get(locationName) ?? "loading"]),
    );
    const loading = Object.entries(locations).flatMap(([name, state]) => (state === "loading" ? [name] : []));
    if (loading.length > 0) {
      throw new Problem("service.not_ready", `Still loading: ${loading.join(", ")}.`, "Ask again in a second.");
    }
    return { status: "ready", locations };
  },

  async getSystem(context, { actor }) {
    const [daemons, runs, { newest, floor }, { schema }] = await Promise.all([
      listDaemons(context.db),
      countRuns(context.db),
      eventBounds(context.db),
      migrationStatus(context.pool),
    ]);
    const { order, errors } = context.graph();
    return {
      actor: actor.name,
      schema,
      daemons: daemons.map(({ id, host, pid, started_at, renewed_at, alive }) => ({
        id,
        host,
        pid,
        startedAt: presentTime(started_at),
        renewedAt: presentTime(renewed_at),
        alive,
      })),
      runs: Object.fromEntries(runs),
      assets: order.length,
      definitionErrors: errors.length,
      events: { newest, floor },
      memoryBytes: process.memoryUsage.rss(),
    };
  },

  async openapi() {
    return (document ??= openApiDocument("1"));
  },
};

/** Gauges in the text format of Prometheus, read from the database. */
export async function metricsText(context: ApiContext): Promise<string> {
  const [runs, locations, { newest, floor }] = await Promise.all([
    countRuns(context.db),
    listLocations(context.db),
    eventBounds(context.db),
  ]);
  const states = new Map<string, number>();
  for (const { state, removed_at } of locations) {
    if (removed_at === null) states.set(state, (states.get(state) ?? 0) + 1);
  }
  const { order, errors } = context.graph();
  return [
    gauge(
      "headgate_runs",
      "Runs by state",
      [...runs].map(([state, n]) => [`{state="${state}"}`, n]),
    ),
    gauge(
      "headgate_locations",
      "Code locations by state",
      [...states].map(([state, n]) => [`{state="${state}"}`, n]),
    ),
    gauge("headgate_assets", "Assets in the graph", [["", order.length]]),
    gauge("headgate_definition_errors", "Definitions that are refused", [["", errors.length]]),
    gauge("headgate_events_sequence", "Sequence number of the newest event", [["", newest]]),
    gauge("headgate_events_floor", "First sequence number that is kept", [["", floor]]),
    gauge("process_resident_memory_bytes", "Resident memory of this process", [["", process.memoryUsage.rss()]]),
  ].join("");
}

function gauge(name: string, help: string, samples: readonly (readonly [labels: string, value: number])[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines, ""].join("\n");
}
