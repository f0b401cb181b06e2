import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { type LocationTarget, workspaceTargets } from "../daemons/location-target.ts";
import type { DefinitionError } from "../domain/definitions.ts";
import type { SnapshotDefinition } from "../domain/definitions-snapshot.ts";
import { fetchDefinitions } from "../grpc/fetch-definitions.ts";
import { connectLocation } from "../grpc/location-client.ts";
import { readTlsFiles } from "../grpc/tls-files.ts";
import { objectStoreIn } from "../launchers/location-environment.ts";
import { visitLocation } from "../launchers/visit-location.ts";
import { snapshotDefinition } from "../storage/stored-snapshot.ts";
import { nextDefinitions } from "../storage/next-definitions.ts";
import { readWorkspace } from "../workspace/read-workspace.ts";
import type { ModuleEntry, Workspace, WorkspaceEntry } from "../workspace/workspace.ts";

export interface LoadOptions {
  /** Path of workspace.yaml. */
  readonly workspace: string;
  /** Node and headgate's own file, to start `serve` with. */
  readonly command: readonly string[];
  /** Ends the load, and every process that it started. */
  readonly signal: AbortSignal;
  /** Names of the locations to ask; empty or absent: all. */
  readonly only?: readonly string[];
  /** How long a module may take to listen; default 60,000. */
  readonly startTimeoutMs?: number;
  /** Default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What one location of a workspace defines, or why it cannot be asked. */
export interface LocationDefinitions {
  readonly name: string;
  readonly team: string;
  /** The folder that sources are relative to; undefined for one that is deployed. */
  readonly folder: string | undefined;
  /** Why nothing is known of its definitions. */
  readonly error: DefinitionError | undefined;
  readonly definitions: readonly SnapshotDefinition[];
  /** Variables that its modules ask for without a default, and that are not set; not known of deployed ones. */
  readonly missingVariables: readonly string[];
}

export interface WorkspaceDefinitions {
  readonly workspace: Workspace;
  /** One for each entry, wrong ones included, in the file's order. */
  readonly locations: readonly LocationDefinitions[];
}

/**
 * Asks every location of a workspace what it defines, without a control plane: modules are started and ended, deployed
 * ones are dialled. A location that cannot be asked delays and hides no other.
 *
 * @throws UnknownLocationError, the signal's reason
 */
export async function loadWorkspaceDefinitions(options: LoadOptions): Promise<WorkspaceDefinitions> {
  const env = options.env ?? process.env;
  const workspace = await readWorkspace(options.workspace, env);
  const targets = chosen(workspaceTargets(workspace.entries, workspace, env).targets, options.only ?? []);
  const entries = new Map(workspace.entries.map((entry) => [entry.locationName, entry]));
  const locations = await inParallel(targets, Math.max(2, availableParallelism()), (target) =>
    loadLocation(target, entries.get(target.name), options),
  );
  options.signal.throwIfAborted();
  return { workspace, locations };
}

/** A location was asked for that the workspace does not have. */
export class UnknownLocationError extends Error {
  override readonly name = "UnknownLocationError";
  readonly code = "location.unknown";
  readonly hint: string;

  constructor(location: string, known: readonly string[]) {
    super(`There is no location ${location} in the workspace.`);
    this.hint = known.length === 0 ? "Enter it under load_from." : `There are: ${known.join(", ")}.`;
  }
}

function chosen(targets: readonly LocationTarget[], only: readonly string[]): readonly LocationTarget[] {
  if (only.length === 0) return targets;
  const names = targets.map(({ name }) => name);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UnknownLocationError(unknown, names);
  return targets.filter(({ name }) => only.includes(name));
}

async function loadLocation(
  target: LocationTarget,
  entry: WorkspaceEntry | undefined,
  options: LoadOptions,
): Promise<LocationDefinitions> {
  const { name, team, problem } = target;
  const folder = entry?.kind === "module" ? sourceFolder(entry.path) : undefined;
  try {
    if (problem !== undefined) {
      const { file, line, ...error } = problem;
      return unknown({ ...error, ...(file === undefined ? {} : { source: { file, line: line ?? 0 } }) });
    }
    const asked =
      entry?.kind === "module"
        ? await visit(entry, options)
        : { definitions: await ask({ ...target, address: target.address ?? "" }), missingVariables: [] };
    return { name, team, folder, error: undefined, ...asked };
  } catch (error) {
    options.signal.throwIfAborted();
    const { code = "location.unreachable", hint = "" } = error as { code?: string; hint?: string };
    const message = `Location ${name} cannot be asked: ${error instanceof Error ? error.message : String(error)}`;
    return unknown({ code, message, hint });
  }

  function unknown(error: DefinitionError): LocationDefinitions {
    return { name, team, folder, error, definitions: [{ kind: "module", key: name, error }], missingVariables: [] };
  }
}

function visit(entry: ModuleEntry, { command, signal, startTimeoutMs = 60_000 }: LoadOptions) {
  // As `dev` sets it by default: what a module builds of it at load is then as good as there.
  const provided = objectStoreIn(".headgate");
  return visitLocation(entry, { command, provided, startTimeoutMs, signal }, async (address, missing) => ({
    definitions: await ask({ address }),
    // `dev` sets that one.
    missingVariables: missing.filter((name) => name !== entry.database),
  }));
}

async function ask(
  target: Pick<LocationTarget, "token" | "tls"> & { readonly address: string },
): Promise<SnapshotDefinition[]> {
  const { address, token, tls } = target;
  const client = connectLocation({
    address,
    daemonId: "headgate validate",
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined ? {} : { tls: readTlsFiles(tls) }),
  });
  try {
    const { manifest, definitions } = await fetchDefinitions(client);
    return nextDefinitions([], { entries: manifest.entries, definitions }, 0).map(snapshotDefinition);
  } finally {
    client.close();
  }
}

function sourceFolder(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path;
}

/** Results in the order of `items`, at most `limit` under way at once; all have ended when it settles. */
async function inParallel<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index]!);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
