import { openDatabase, sql, type Database, type Relation } from "@headgate/connections";
import { materialize, partitioned, runCheck, testContext, ticksOf } from "@headgate/sdk/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { airportDayDelays } from "../assets/airport-day-delays.ts";
import { halfYearSummary } from "../assets/half-year-summary.ts";
import { routeDelays } from "../assets/route-delays.ts";
import { plausibleAverages } from "../checks.ts";
import { markdownTable } from "../markdown-table.ts";
import { monthlySummary } from "../schedules.ts";

let database: Database;
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database.close());

/** Two flights from Miami, one from St. Louis the day after. */
function flights(): Relation<never> {
  return database.relation(sql`
    from (values (timestamp '2001-02-01 10:00:00', 10, 'MIA', 'STL'), (timestamp '2001-02-01 23:00:00', 20, 'MIA', 'STL'),
      (timestamp '2001-02-02 00:00:00', -3, 'STL', 'MIA')) as flights(date, delay, origin, destination)
  `);
}

describe("route_delays", () => {
  it("has the number and the average delay of each route's flights", async () => {
    const context = testContext(routeDelays, { partition: "2001-02", resources: { database } });
    const routes = await routeDelays.compute({ flights: flights() }, context);
    expect(await routes.rows(10)).toEqual([
      { origin: "MIA", destination: "STL", flights: 2, average_delay: 15 },
      { origin: "STL", destination: "MIA", flights: 1, average_delay: -3 },
    ]);
  });
});

describe("airport_day_delays", () => {
  it("has a row for each airport of departure on each day, with the airport's name", async () => {
    const airports = database.relation(sql`
      from (values ('MIA', 'Miami International', 'Miami'), ('STL', 'Lambert', 'St Louis')) as airports(iata, name, city)
    `);
    const context = testContext(airportDayDelays, { partition: "2001-02", resources: { database } });
    const days = await airportDayDelays.compute({ flights: flights(), airports }, context);
    expect((await days.rows(10)).map(({ airport, name, flights: count }) => [airport, name, count])).toEqual([
      ["MIA", "Miami International", 2],
      ["STL", "Lambert", 1],
    ]);
  });
});

describe("half_year_summary", () => {
  function summarize(leftOut: string[], config = { lines: 10, flightsMin: 3 }) {
    const route = (count: number, delay: number) =>
      database.relation(
        sql`select 'MIA' as origin, 'STL' as destination, ${count} as flights, ${delay}::double as average_delay`,
      );
    const day = database.relation(sql`
      select date '2001-02-01' as day, 'MIA' as airport, 'Miami | International' as name, 'Miami' as city, 3 as flights,
        12.5::double as average_delay
    `);
    const inputs = {
      routes: partitioned({ "2001-01": route(1, 40), "2001-02": route(3, 20) }, leftOut),
      airportDays: partitioned({ "2001-02": day }, leftOut),
    };
    return materialize(halfYearSummary, { inputs, config, resources: { database } });
  }

  it("weighs each month's average by its flights", async () => {
    const { value: report } = await summarize([]);
    expect(report).toContain("| 2001-01 | 1 | 40.0 |\n| 2001-02 | 3 | 20.0 |");
    expect(report).toContain("| MIA → STL | 4 | 25.0 |");
  });

  it("names the months that it leaves out, in the report and in metadata", async () => {
    const { value, metadata } = await summarize(["2001-07"]);
    expect(value).toContain("**2001-07**");
    expect(metadata).toMatchObject({
      left_out: ["2001-07"],
      months: ["2001-01", "2001-02"],
      flights: 4,
    });
  });

  it("says so when it leaves out nothing", async () => {
    expect((await summarize([])).value).toContain("Every month is in this report.");
  });

  it("ranks what has enough flights alone", async () => {
    const { value: report } = await summarize([]);
    expect(report.match(/^\| 2001-02-01 .*$/gm)).toEqual([
      "| 2001-02-01 | Miami \\| International, Miami | 3 | 12.5 |",
    ]);
  });
});

describe("plausible_averages", () => {
  it("fails on a route that is on average more than a day late, and shows it", async () => {
    const routes = (delay: number) =>
      database.relation<never>(
        sql`select 'A' as origin, 'B' as destination, 1 as flights, ${delay}::double as average_delay`,
      );
    const options = { partition: "2001-02", resources: { database } };
    expect(await runCheck(plausibleAverages, routes(1_440), options)).toMatchObject({ outcome: "passed" });
    expect(await runCheck(plausibleAverages, routes(1_441), options)).toMatchObject({
      outcome: "failed",
      metadata: { found: 1, routes: { rows: [["A", "B", 1, 1_441]] } },
    });
  });
});

describe("A table in Markdown", () => {
  it("keeps each cell in its place, whatever is in it", () => {
    expect(markdownTable(["a|b"], [["x\ny"], ["\\|"]])).toBe("| a\\|b |\n| --- |\n| x y |\n| \\\\\\| |");
  });
});

it("is summarized anew on the first of every month, at six in the morning whatever clocks do", () => {
  const ticks = ticksOf(monthlySummary, { from: "2026-03-01T00:00:00Z", to: "2026-04-30T00:00:00Z" });
  expect(ticks.map(({ local }) => local)).toEqual(["2026-03-01T06:00:00-05:00", "2026-04-01T06:00:00-04:00"]);
});
