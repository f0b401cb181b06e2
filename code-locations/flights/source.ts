import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { sql } from "@headgate/connections";

// The data ships inside an npm package, found by its name: this file itself runs from wherever its bundle is.
const data = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "..", "data");

/** Three million flights of the first half of 2001, and the first six of July. */
export const flightsFile = sql`read_parquet(${join(data, "flights-3m.parquet")})`;

export const airportsFile = sql`read_csv(${join(data, "airports.csv")}, header = true)`;
