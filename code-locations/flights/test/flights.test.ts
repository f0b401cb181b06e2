import { openDatabase, sql, type Database, type Relation, type RowOf } from "@headgate/connections";
import { materialize, runCheck, testContext } from "@headgate/sdk/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { airports } from "../assets/airports.ts";
import { cleanFlights } from "../assets/clean-flights.ts";
import { rawFlights } from "../assets/raw-flights.ts";
import { enoughRows, knownAirports, noDepartureTwoHoursEarly, noExactDuplicates, noNulls } from "../checks.ts";

type Flight = RowOf<{
  date: "TIMESTAMP";
  delay: "BIGINT";
  distance: "BIGINT";
  origin: "VARCHAR";
  destination: "VARCHAR";
}>;

let database: Database;
let resources: { readonly database: Database };
beforeAll(async () => {
  database = await openDatabase();
  resources = { database };
});
afterAll(() => database.close());

/** Flights of February with these delays in minutes. */
function withDelays(delays: readonly number[]): Relation<Flight> {
  return database.relation(sql`
    select timestamp '2001-02-03 04:05:06' as date, delay::bigint as delay, 100::bigint as distance,
      'MIA' as origin, 'STL' as destination
    from unnest([${sql.join(delays.map((delay) => sql`${delay}`))}]) as flights(delay)
  `);
}

describe("raw_flights", () => {
  it("has the flights of its month, midnight of the first day included and of the next month's left out", async () => {
    const july = await rawFlights.compute({}, testContext(rawFlights, { partition: "2001-07", resources }));
    const june = await rawFlights.compute({}, testContext(rawFlights, { partition: "2001-06", resources }));
    expect(await july.count()).toBe(6);
    const [last] = await database.rows<{ date: Date }>(sql`select max(date) as date from ${june}`);
    expect(last?.date.toISOString()).toBe("2001-06-30T23:59:00.000Z");
  });
});

describe("clean_flights", () => {
  it("keeps what departs up to two hours early, removes the rest and says how many", async () => {
    const clean = await materialize(cleanFlights, {
      inputs: { raw: withDelays([-1116, -121, -120, 0, 1688]) },
      partition: "2001-02",
      resources,
      checks: [noNulls, knownAirports, noDepartureTwoHoursEarly, noExactDuplicates],
    });
    expect(await database.rows(sql`select delay from ${clean.value}`)).toEqual([
      { delay: -120 },
      { delay: 0 },
      { delay: 1688 },
    ]);
    expect(clean.metadata).toEqual({ rows: 3, removed: 2 });
    expect(clean.isOpen).toBe(true);
  });

  it("must have the columns of its contract", async () => {
    const raw = withDelays([0]);
    const wrong = { ...cleanFlights, compute: () => database.relation<never>(sql`select date, delay from ${raw}`) };
    await expect(materialize(wrong, { inputs: { raw }, partition: "2001-02", resources })).rejects.toThrow(
      "The value of flights/clean_flights does not match its schema.",
    );
  });
});

describe("airports", () => {
  it("has one row a code", async () => {
    const rows = await airports.compute({}, testContext(airports, { resources }));
    const [counted] = await database.rows(sql`select count(*) as rows, count(distinct iata) as codes from ${rows}`);
    expect(counted).toEqual({ rows: 3_376, codes: 3_376 });
  });
});

describe("enough_rows", () => {
  it("wants 10,000 rows for each day of the month, and says what it found and what it wants", async () => {
    expect(await runCheck(enoughRows, withDelays([1, 2, 3, 4, 5, 6]), { partition: "2001-07" })).toMatchObject({
      outcome: "failed",
      description: "6 rows, 310,000 needed: 10,000 for each of the 31 days of 2001-07",
      metadata: { observed: 6, needed: 310_000 },
    });
  });

  it.each([
    [279_999, false],
    [280_000, true],
  ])("judges %i rows of a February: %s", async (rows, passed) => {
    const flights = database.relation<Flight>(sql`from range(${rows})`);
    expect(await runCheck(enoughRows, flights, { partition: "2001-02" })).toMatchObject({ passed });
  });
});

describe("The checks of clean_flights", () => {
  const partition = "2001-02";

  it("pass on a flight that has nothing wrong with it", async () => {
    for (const check of [noNulls, knownAirports, noDepartureTwoHoursEarly, noExactDuplicates]) {
      expect(await runCheck(check, withDelays([0]), { partition, resources })).toMatchObject({ outcome: "passed" });
    }
  });

  it("no_nulls finds a missing value in any column", async () => {
    for (const column of ["date", "delay", "distance", "origin", "destination"]) {
      const flights = database.relation<Flight>(
        sql`select * replace (null as ${sql.identifier(column)}) from ${withDelays([0, 1])}`,
      );
      expect(await runCheck(noNulls, flights, { partition, resources })).toMatchObject({
        passed: false,
        metadata: { found: 2 },
      });
    }
  });

  it("known_airports names the codes that it does not know, and how often they come", async () => {
    const flights = database.relation<Flight>(sql`select * replace ('???' as destination) from ${withDelays([0, 1])}`);
    expect(await runCheck(knownAirports, flights, { partition, resources })).toMatchObject({
      passed: false,
      metadata: { found: 1, airports: { columns: ["airport", "flights"], rows: [["???", 2]] } },
    });
  });

  it("no_departure_two_hours_early tells how many there are and shows the first twenty", async () => {
    const flights = withDelays(Array.from({ length: 25 }, (_, index) => -121 - index));
    const verdict = await runCheck(noDepartureTwoHoursEarly, flights, { partition, resources });
    expect(verdict).toMatchObject({ passed: false, description: "25 departures more than two hours early" });
    expect(verdict).toHaveProperty("metadata.rows.rows.length", 20);
    expect(verdict).toHaveProperty("metadata.rows.rows.0", ["2001-02-03 04:05:06", -121, 100, "MIA", "STL"]);
  });

  it("no_exact_duplicates warns, and counts groups rather than rows", async () => {
    expect(await runCheck(noExactDuplicates, withDelays([1, 1, 1, 2, 3, 3]), { partition, resources })).toMatchObject({
      outcome: "warned",
      metadata: { groups: 2 },
    });
  });
});

describe("The gate", () => {
  it("keeps July's six flights from clean_flights, and lets a whole month through", async () => {
    const checks = [enoughRows, noNulls, knownAirports, noDepartureTwoHoursEarly, noExactDuplicates];
    const options = { partitions: "2001-06..2001-07", resources, checks };
    const made = await materialize([rawFlights, cleanFlights], options);
    expect(made.partition(cleanFlights, "2001-07")).toMatchObject({
      status: "blocked",
      blockedBy: "flights/raw_flights, partition 2001-07: check enough_rows",
    });
    expect(made.partition(cleanFlights, "2001-06")).toMatchObject({ status: "succeeded", isOpen: true });
  });
});
