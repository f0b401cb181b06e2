import { z } from "zod";

const problem = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  source: z.object({ file: z.string(), line: z.int() }).optional(),
});

const definition = z.object({
  kind: z.enum(["asset", "check", "schedule", "sensor", "module"]),
  key: z
    .string()
    .describe("an asset's key, team/asset@name of a check, the name of a schedule or sensor, the path of a module"),
  definition: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("the last good one, with every field that its kind has; absent: it never loaded"),
  hash: z.string().optional(),
  error: problem.optional().describe("what is wrong with the newest one"),
  retired: z.boolean().optional().describe("it vanished, and is kept for its readers"),
});

/** The definitions of all locations at one moment. The same form is what `headgate validate --out` writes. */
export const definitionsSnapshot = z
  .object({
    format: z.literal("headgate.definitions"),
    version: z.literal(1).describe("raised when an older program could misread the newer form"),
    locations: z.array(z.object({ name: z.string(), team: z.string(), definitions: z.array(definition) })),
    owners: z.array(z.object({ asset: z.string(), team: z.string(), location: z.string() })),
    keptEdges: z
      .array(z.object({ reader: z.string(), upstream: z.string() }))
      .describe("edges to what is retired or no longer exported, which go on because they are older"),
  })
  .meta({ id: "DefinitionsSnapshot" });
