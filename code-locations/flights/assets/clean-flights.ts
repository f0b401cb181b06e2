import { sql } from "@headgate/connections";
import { asset, when } from "@headgate/sdk";
import * as contract from "../contract.ts";
import { database } from "../resources.ts";
import { rawFlights } from "./raw-flights.ts";

export const cleanFlights = asset({
  ...contract.cleanFlights,
  deps: { raw: rawFlights },
  resources: { database },
  automation: when.onMissing(),
  compute: async ({ raw }, { resources, metadata }) => {
    // Nobody departs two hours early, let alone eighteen: such a delay is a typo, and one moves the average of its route.
    const clean = resources.database.relation(sql`
      select date, delay, distance, origin, destination
      from ${raw}
      where delay >= -120
    `);
    const rows = await clean.count();
    metadata({ rows, removed: (await raw.count()) - rows });
    return clean;
  },
});
