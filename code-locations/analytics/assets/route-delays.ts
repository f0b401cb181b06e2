import { relation, sql } from "@headgate/connections";
import { asset, when } from "@headgate/sdk";
import { cleanFlights, monthly } from "../../flights/contract.ts";
import { database } from "../resources.ts";

export const routeDelays = asset({
  key: "analytics/route_delays",
  description: "Flights and average delay of each route in a month.",
  value: relation({ origin: "VARCHAR", destination: "VARCHAR", flights: "BIGINT", average_delay: "DOUBLE" }),
  partitions: monthly,
  group: "delays",
  kinds: ["duckdb", "parquet"],
  // Strict: the newest version of the same month, and none while its checks have not passed.
  deps: { flights: cleanFlights },
  resources: { database },
  automation: when.eager(),
  compute: ({ flights }, { resources }) =>
    // The order makes equal results equal files, so that a recomputation that changes nothing makes nothing stale.
    resources.database.relation(sql`
      select origin, destination, count(*) as flights, avg(delay) as average_delay
      from ${flights}
      group by origin, destination
      order by origin, destination
    `),
});
