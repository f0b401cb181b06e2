import type { TlsFiles } from "../grpc/tls-files.ts";
import type { DefinitionErrorRow } from "../storage/schema.ts";
import type { WorkspaceEntry, WorkspaceProblem } from "../workspace/workspace.ts";

/** A code location that is to be kept loaded. */
export interface LocationTarget {
  readonly name: string;
  /** The workspace decides it, not the location. */
  readonly team: string;
  /** "host:port"; absent until a supervisor tells it. */
  readonly address?: string;
  readonly token?: string;
  /** Read whenever it is dialled. */
  readonly tls?: TlsFiles;
  /** Why it cannot even be dialled. */
  readonly problem?: DefinitionErrorRow;
}

export interface WorkspaceTargets {
  readonly targets: readonly LocationTarget[];
  /** False: there may be locations that the workspace could not say, so none is taken for gone. */
  readonly complete: boolean;
}

/**
 * What a workspace asks for: its entries (with the last good ones where it is wrong now), and the entries that it has
 * only a problem to say about.
 */
export function workspaceTargets(
  entries: readonly WorkspaceEntry[],
  { readable, problems }: { readonly readable: boolean; readonly problems: readonly WorkspaceProblem[] },
  env: Readonly<Record<string, string | undefined>>,
): WorkspaceTargets {
  const targets = new Map(entries.map((entry) => [entry.locationName, locationTarget(entry, env)]));
  for (const { locationName: name, code, message, hint, file, line } of problems) {
    if (name === undefined || targets.has(name)) continue;
    targets.set(name, { name, team: name, problem: { code, message, hint, file, line } });
  }
  const complete = readable && problems.every(({ locationName }) => locationName !== undefined);
  return { targets: [...targets.values()], complete };
}

/** What one entry asks for. A token that is missing is that entry's problem alone. */
function locationTarget(entry: WorkspaceEntry, env: Readonly<Record<string, string | undefined>>): LocationTarget {
  const { locationName: name, team } = entry;
  if (entry.kind === "module") return { name, team };
  const { host, port, tls, tokenEnv } = entry;
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const token = tokenEnv === undefined ? undefined : env[tokenEnv];
  if (tokenEnv !== undefined && (token === undefined || token === "")) {
    const message = `The token of location ${name} is to be in the variable ${tokenEnv}, which is not set.`;
    const hint = `Set ${tokenEnv} where the control plane runs, or remove token_env from the entry.`;
    return { name, team, address, problem: { code: "location.token_missing", message, hint } };
  }
  return { name, team, address, ...(token === undefined ? {} : { token }), ...(tls === undefined ? {} : { tls }) };
}

/** Whether a loop for `a` serves `b` as well. The address is not looked at: it may change under a loop. */
export function sameTarget(a: LocationTarget, b: LocationTarget): boolean {
  return JSON.stringify({ ...a, address: "" }) === JSON.stringify({ ...b, address: "" });
}
