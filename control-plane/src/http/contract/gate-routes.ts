import { z } from "zod";
import { closedGate } from "./gate.ts";
import { route } from "./route.ts";
import * as shape from "./shapes.ts";

/** Closed gates. */
export const gateRoutes = {
  listGates: route({
    method: "GET",
    path: "/api/v1/gates",
    tag: "assets",
    summary: "Closed gates with their reasons, what opens them and what they block, those that block most first",
    query: z.object({ selection: shape.text(10_000).optional() }),
    status: 200,
    answer: z
      .object({ items: z.array(closedGate).describe("200 at most"), count: z.int().describe("of all closed gates") })
      .meta({ id: "Gates" }),
  }),
};
