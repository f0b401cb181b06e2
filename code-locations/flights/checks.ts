import { sql, tableMetadata } from "@headgate/connections";
import { assetCheck, type PartitionWindow } from "@headgate/sdk";
import { cleanFlights } from "./assets/clean-flights.ts";
import { rawFlights } from "./assets/raw-flights.ts";
import { database } from "./resources.ts";
import { airportsFile } from "./source.ts";

const dayMs = 24 * 60 * 60 * 1000;
const daysOf = (window: PartitionWindow) => (window.end.getTime() - window.start.getTime()) / dayMs;
const inWords = new Intl.NumberFormat("en");

/** Rows of an offence that are shown; their number is always told. */
const shownMax = 20;

export const enoughRows = assetCheck({
  asset: rawFlights,
  name: "enough_rows",
  description: "A month has at least 10,000 flights a day. One that was cut short has an average of nothing.",
  blocking: true,
  run: async (flights, { partition }) => {
    const days = daysOf(partition.window);
    const needed = 10_000 * days;
    const observed = await flights.count();
    return {
      passed: observed >= needed,
      description:
        `${inWords.format(observed)} rows, ${inWords.format(needed)} needed: ` +
        `10,000 for each of the ${days} days of ${partition.key}`,
      metadata: { observed, needed },
    };
  },
});

export const noNulls = assetCheck({
  asset: cleanFlights,
  name: "no_nulls",
  description: "Every column of every flight has a value.",
  blocking: true,
  resources: { database },
  run: async (flights, { resources }) => {
    const withNulls = resources.database.relation(sql`
      from ${flights}
      where date is null or delay is null or distance is null or origin is null or destination is null
    `);
    const found = await withNulls.count();
    return {
      passed: found === 0,
      description: `${inWords.format(found)} flights lack a value`,
      metadata: { found, rows: await tableMetadata(withNulls, shownMax) },
    };
  },
});

export const knownAirports = assetCheck({
  asset: cleanFlights,
  name: "known_airports",
  description: "Every origin and destination is an airport that the source knows.",
  blocking: true,
  resources: { database },
  run: async (flights, { resources }) => {
    const unknown = resources.database.relation(sql`
      select airport, count(*) as flights
      from (select origin as airport from ${flights} union all select destination from ${flights})
      where airport not in (select iata from ${airportsFile})
      group by airport
      order by flights desc, airport
    `);
    const found = await unknown.count();
    return {
      passed: found === 0,
      description: `${inWords.format(found)} airport codes are unknown`,
      metadata: { found, airports: await tableMetadata(unknown, shownMax) },
    };
  },
});

export const noDepartureTwoHoursEarly = assetCheck({
  asset: cleanFlights,
  name: "no_departure_two_hours_early",
  description: "No flight departs more than two hours early: such a delay is a typo.",
  blocking: true,
  resources: { database },
  run: async (flights, { resources }) => {
    const early = resources.database.relation(sql`from ${flights} where delay < -120 order by delay desc`);
    const found = await early.count();
    return {
      passed: found === 0,
      description: `${inWords.format(found)} departures more than two hours early`,
      metadata: { found, rows: await tableMetadata(early, shownMax) },
    };
  },
});

export const noExactDuplicates = assetCheck({
  asset: cleanFlights,
  name: "no_exact_duplicates",
  description: "No two flights are the same in every column. A few are, and may be true: a warning.",
  severity: "WARN",
  resources: { database },
  run: async (flights, { resources }) => {
    const duplicates = resources.database.relation(sql`
      select *, count(*) as times
      from ${flights}
      group by all
      having times > 1
      order by all
    `);
    const groups = await duplicates.count();
    return {
      passed: groups === 0,
      description: `${inWords.format(groups)} groups of identical flights`,
      metadata: { groups, rows: await tableMetadata(duplicates, shownMax) },
    };
  },
});
