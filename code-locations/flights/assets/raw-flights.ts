import { sql } from "@headgate/connections";
import { asset, when } from "@headgate/sdk";
import { flight, monthly } from "../contract.ts";
import { database } from "../resources.ts";
import { flightsFile } from "../source.ts";

// Not in the contract, so private to this team: nobody else can come to depend on what was not cleaned.
export const rawFlights = asset({
  key: "flights/raw_flights",
  description: "Flights of a month as the source has them.",
  value: flight,
  partitions: monthly,
  group: "flights",
  kinds: ["duckdb", "parquet"],
  resources: { database },
  automation: when.onMissing(),
  compute: (_inputs, { partition, resources }) =>
    resources.database.relation(sql`
      select date, delay, distance, origin, destination
      from ${flightsFile}
      where date >= ${partition.window.start} and date < ${partition.window.end}
    `),
});
