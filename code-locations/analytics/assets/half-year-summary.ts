import { sql, type Relation, type Sql } from "@headgate/connections";
import { allPartitions, asset, lastValidated, when, type Partitioned } from "@headgate/sdk";
import { z } from "zod";
import * as contract from "../contract.ts";
import { markdownTable } from "../markdown-table.ts";
import { database, reports } from "../resources.ts";
import { airportDayDelays } from "./airport-day-delays.ts";
import { routeDelays } from "./route-delays.ts";

export const halfYearSummary = asset({
  ...contract.halfYearSummary,
  // A month whose newest version is bad counts with its last validated one, and is left out if it never had one.
  deps: {
    routes: lastValidated(allPartitions(routeDelays, { require: { atLeast: 1 } })),
    airportDays: lastValidated(allPartitions(airportDayDelays, { require: { atLeast: 1 } })),
  },
  config: z.object({
    /** Lines of each ranking. */
    lines: z.int().min(1).max(100).default(10),
    /** Routes and days with fewer flights are not ranked: a few flights have an average of nothing. */
    flightsMin: z.int().min(1).default(100),
  }),
  resources: { database },
  io: reports,
  automation: when.onMissing(),
  compute: async ({ routes, airportDays }, { config, resources, metadata }) => {
    const months = await resources.database.rows<Month>(sql`
      select month, sum(flights) as flights, sum(flights * average_delay) / sum(flights) as average_delay
      from ${byMonth(routes)}
      group by month
      order by month
    `);
    const worstRoutes = await resources.database.rows<Route>(sql`
      select origin || ' → ' || destination as route, sum(flights) as flights,
        sum(flights * average_delay) / sum(flights) as average_delay
      from ${byMonth(routes)}
      group by origin, destination
      having sum(flights) >= ${config.flightsMin}
      order by average_delay desc, route
      limit ${config.lines}
    `);
    const worstDays = await resources.database.rows<AirportDay>(sql`
      select strftime(day, '%Y-%m-%d') as day, name || ', ' || city as airport, flights, average_delay
      from ${byMonth(airportDays)}
      where flights >= ${config.flightsMin}
      order by average_delay desc, day, airport
      limit ${config.lines}
    `);
    const leftOut = [...new Set([...routes.leftOut, ...airportDays.leftOut])].sort();
    const report = reportOf(months, worstRoutes, worstDays, leftOut);
    metadata({
      report: { kind: "markdown", value: report },
      months: months.map((row) => row.month),
      left_out: leftOut,
      flights: months.reduce((sum, row) => sum + row.flights, 0),
    });
    return report;
  },
});

interface Delays {
  readonly flights: number;
  readonly average_delay: number;
}
type Month = Delays & { readonly month: string };
type Route = Delays & { readonly route: string };
type AirportDay = Delays & { readonly day: string; readonly airport: string };

/** The rows of all months, each with its month. */
function byMonth(partitions: Partitioned<Relation>): Sql {
  const months = [...partitions].map(([month, rows]) => sql`select ${month} as month, * from ${rows}`);
  return sql`(${sql.join(months, " union all ")})`;
}

function reportOf(
  months: readonly Month[],
  worstRoutes: readonly Route[],
  worstDays: readonly AirportDay[],
  leftOut: readonly string[],
): string {
  const delays = ({ flights, average_delay }: Delays) => [flights.toLocaleString("en"), average_delay.toFixed(1)];
  const columns = ["flights", "average delay (min)"];
  return [
    `# Delays of US flights, ${months.at(0)?.month} to ${months.at(-1)?.month}`,
    leftOut.length === 0
      ? "Every month is in this report."
      : `Left out, because no version of it passed its checks: **${leftOut.join(", ")}**.`,
    "## Months",
    markdownTable(
      ["month", ...columns],
      months.map((row) => [row.month, ...delays(row)]),
    ),
    "## Routes with the longest delays",
    markdownTable(
      ["route", ...columns],
      worstRoutes.map((row) => [row.route, ...delays(row)]),
    ),
    "## Worst days of an airport",
    markdownTable(
      ["day", "airport", ...columns],
      worstDays.map((row) => [row.day, row.airport, ...delays(row)]),
    ),
    "",
  ].join("\n\n");
}
