import { z } from "zod";
import { owner, reason, remedy, time } from "./shapes.ts";

const blocks = z
  .object({
    assets: z.int(),
    partitions: z.int(),
    teams: z.array(z.object({ team: z.string(), assets: z.int() })),
    nearest: z
      .array(z.object({ key: z.string(), team: z.string(), partitions: z.int() }))
      .describe("the first fifty, upstream first"),
  })
  .meta({ id: "Blocks", description: "what waits behind closed gates: over strict edges, partition by partition" });

const closedVersion = z
  .object({
    partition: z.string(),
    version: z.string(),
    madeAt: time,
    reasons: z.array(reason),
    remedies: z.array(remedy),
  })
  .meta({ id: "ClosedVersion" });

export const closedGate = z
  .object({
    asset: z.string(),
    team: z.string(),
    partitioned: z.boolean(),
    partitions: z.string().describe("those whose newest version is held back, as `partitions` is written everywhere"),
    count: z.int(),
    since: time.describe("when the oldest of these versions was made"),
    owner,
    versions: z.array(closedVersion).describe("the first twenty by partition"),
    blocks,
  })
  .meta({ id: "ClosedGate", description: "an asset with newest versions that a check holds back from readers" });
