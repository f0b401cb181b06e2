import { relation, sql } from "@headgate/connections";
import { asset, when } from "@headgate/sdk";
import { airports, cleanFlights, monthly } from "../../flights/contract.ts";
import { database } from "../resources.ts";

export const airportDayDelays = asset({
  key: "analytics/airport_day_delays",
  description: "Departures and average delay of each airport on each day of a month, with the airport's name.",
  value: relation({
    day: "DATE",
    airport: "VARCHAR",
    name: "VARCHAR",
    city: "VARCHAR",
    flights: "BIGINT",
    average_delay: "DOUBLE",
  }),
  partitions: monthly,
  group: "delays",
  kinds: ["duckdb", "parquet"],
  // The same month of flights; airports has no partitions, so every month reads the same version of it.
  deps: { flights: cleanFlights, airports },
  resources: { database },
  automation: when.eager(),
  compute: ({ flights, airports }, { resources }) =>
    resources.database.relation(sql`
      select date::date as day, iata as airport, name, city, count(*) as flights, avg(delay) as average_delay
      from ${flights}
      join ${airports} on iata = origin
      group by all
      order by day, airport
    `),
});
