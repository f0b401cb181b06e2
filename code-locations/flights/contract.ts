// The only file of team "flights" that another team may import: what it promises, without how it is made.
import { relation } from "@headgate/connections";
import { assetSpec, monthlyPartitions } from "@headgate/sdk";

/** The months of the source. Seven partitions, 2001-01 to 2001-07: `end` is exclusive. */
export const monthly = monthlyPartitions({ start: "2001-01-01", end: "2001-08-01" });

/** Every version is validated to have these columns; a reader's rows are typed by them. */
export const flight = relation({
  /** Departure. The source gives no zone, so the times of all airports are kept as they are. */
  date: "TIMESTAMP",
  /** Minutes; negative is early. */
  delay: "BIGINT",
  /** Miles. */
  distance: "BIGINT",
  /** Airport codes (IATA), as in `airports`. */
  origin: "VARCHAR",
  destination: "VARCHAR",
});

export const cleanFlights = assetSpec({
  key: "flights/clean_flights",
  description: "Flights of a month without departures that cannot be true.",
  value: flight,
  partitions: monthly,
  group: "flights",
  kinds: ["duckdb", "parquet"],
  export: true,
});

export const airports = assetSpec({
  key: "flights/airports",
  description: "Airports of the United States, one row a code.",
  value: relation({
    iata: "VARCHAR",
    name: "VARCHAR",
    city: "VARCHAR",
    state: "VARCHAR",
    country: "VARCHAR",
    latitude: "DOUBLE",
    longitude: "DOUBLE",
  }),
  group: "flights",
  kinds: ["duckdb", "parquet"],
  export: true,
});
