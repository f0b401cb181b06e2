import { readFile } from "node:fs/promises";
import { parseAssetKey } from "@headgate/model";
import { z } from "zod";
import { definitionsSnapshot as contract } from "../../http/contract/definitions.ts";
import { apiClient } from "../api-client.ts";
import { CliError } from "../cli-error.ts";
import type { DefinitionsSnapshot } from "../../domain/definitions-snapshot.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/* What the asset graph needs of a definition to be built; newer programs may say more, and older ones less. */
const assetKey = z.string().refine((text) => parseAssetKey(text) !== undefined, "is no asset key");
const source = z.object({ file: z.string(), line: z.int() }).default({ file: "", line: 0 });
const asset = z.looseObject({
  kind: z.literal("asset"),
  key: assetKey,
  dependencies: z.array(
    z.looseObject({ name: z.string(), asset: assetKey, mode: z.enum(["strict", "lastValidated", "orderOnly"]) }),
  ),
  partitions: z.looseObject({ kind: z.string() }).optional(),
  export: z.boolean(),
  exportTo: z.array(z.string()).default([]),
  codeVersion: z.string().default(""),
  inPlace: z.boolean().default(false),
  requiredChecks: z.array(z.object({ asset: assetKey, team: z.string(), name: z.string() })).default([]),
  source,
});
const check = z.looseObject({
  kind: z.literal("check"),
  asset: assetKey,
  name: z.string(),
  blocking: z.boolean(),
  version: z.int().default(1),
  newVersionsOnly: z.boolean().default(false),
  source,
});
const schedule = z.looseObject({
  kind: z.literal("schedule"),
  name: z.string(),
  crons: z.array(z.string()),
  timezone: z.string(),
  selection: z.string(),
  partitioned: z.boolean(),
  source,
});
const sensor = z.looseObject({ kind: z.literal("sensor"), name: z.string(), targets: z.array(assetKey), source });
const definition = z.discriminatedUnion("kind", [asset, check, schedule, sensor]);

/**
 * The definitions to compare with: of the control plane at a URL, or of a file that `validate --out` wrote.
 *
 * @throws CliError for what cannot be reached or read
 */
export async function readSnapshot(from: string, env: Environment): Promise<DefinitionsSnapshot> {
  if (/^https?:\/\//.test(from)) {
    const api = apiClient({ HEADGATE_URL: from, HEADGATE_TOKEN: env["HEADGATE_TOKEN"] });
    return parseSnapshot(await api.get("getDefinitions", "/definitions"), from);
  }
  let text: string;
  try {
    text = await readFile(from, "utf8");
  } catch (error) {
    const message = `${from} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new CliError("cli.bad_snapshot", message, "Name a URL, or a file of: headgate validate --out FILE");
  }
  try {
    return parseSnapshot(JSON.parse(text), from);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw unreadable(from, error instanceof Error ? error.message : String(error));
  }
}

function parseSnapshot(value: unknown, from: string): DefinitionsSnapshot {
  const parsed = contract.safeParse(value);
  if (!parsed.success) throw unreadable(from, issueText(parsed.error));
  const locations = parsed.data.locations.map((location) => ({
    ...location,
    definitions: location.definitions.map((entry) => {
      if (entry.definition === undefined) return entry;
      const read = definition.safeParse(entry.definition);
      if (!read.success) throw unreadable(from, `${entry.key}: ${issueText(read.error)}`);
      return { ...entry, definition: read.data };
    }),
  }));
  return { ...parsed.data, locations } as unknown as DefinitionsSnapshot;
}

function issueText(error: z.ZodError): string {
  const [first] = error.issues;
  return first === undefined ? "it is malformed" : `${first.path.join(".")}: ${first.message}`;
}

function unreadable(from: string, why: string): CliError {
  return new CliError(
    "cli.bad_snapshot",
    `${from} does not hold the definitions of a workspace: ${why}`,
    "Write it anew with `headgate validate --out FILE`, by a version of Headgate that is not newer than this one.",
  );
}
