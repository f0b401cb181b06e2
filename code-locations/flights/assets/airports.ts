import { sql } from "@headgate/connections";
import { asset, when } from "@headgate/sdk";
import * as contract from "../contract.ts";
import { database } from "../resources.ts";
import { airportsFile } from "../source.ts";

export const airports = asset({
  ...contract.airports,
  resources: { database },
  automation: when.onMissing(),
  compute: (_inputs, { resources }) =>
    resources.database.relation(sql`
      select iata, name, city, state, country, latitude, longitude
      from ${airportsFile}
      order by iata
    `),
});
