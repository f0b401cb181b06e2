import { sql, tableMetadata } from "@headgate/connections";
import { assetCheck } from "@headgate/sdk";
import { routeDelays } from "./assets/route-delays.ts";
import { database } from "./resources.ts";

/** More than a day: no route is that late on average. */
const averageDelayMinutesMax = 24 * 60;

export const plausibleAverages = assetCheck({
  asset: routeDelays,
  name: "plausible_averages",
  description: "No route is on average more than a day late, or more than two hours early.",
  blocking: true,
  resources: { database },
  run: async (routes, { resources }) => {
    const implausible = resources.database.relation(sql`
      from ${routes}
      where average_delay not between -120 and ${averageDelayMinutesMax}
      order by origin, destination
    `);
    const found = await implausible.count();
    return {
      passed: found === 0,
      description: `${found} routes have an average delay that cannot be true`,
      metadata: { found, routes: await tableMetadata(implausible, 20) },
    };
  },
});
