// The one file that `headgate serve code-locations/flights` loads.
import { definitions } from "@headgate/sdk";
import { airports } from "./assets/airports.ts";
import { cleanFlights } from "./assets/clean-flights.ts";
import { rawFlights } from "./assets/raw-flights.ts";
import { enoughRows, knownAirports, noDepartureTwoHoursEarly, noExactDuplicates, noNulls } from "./checks.ts";
import { io } from "./resources.ts";

export default definitions({
  team: "flights",
  io,
  assets: [rawFlights, cleanFlights, airports],
  checks: [enoughRows, noNulls, knownAirports, noDepartureTwoHoursEarly, noExactDuplicates],
});
