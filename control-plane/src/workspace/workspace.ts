import type { QueueRules } from "../domain/run-queue.ts";

/** What workspace.yaml says, checked. Paths are absolute, variables filled in. */
export interface Workspace {
  /** Absolute. */
  readonly file: string;
  /** What is right, in the file's order; each location name once. */
  readonly entries: readonly WorkspaceEntry[];
  readonly teams: Readonly<Record<string, WorkspaceTeam>>;
  /** Undefined: the section is wrong, or nothing of the file can be read; what was right before goes on. */
  readonly queue: QueueRules | undefined;
  readonly problems: readonly WorkspaceProblem[];
  /**
   * False if the file is missing or is not YAML: then nothing can be told about any entry, and whoever runs locations
   * goes on with what it read last.
   */
  readonly readable: boolean;
}

export type WorkspaceEntry = GrpcServerEntry | ModuleEntry;

interface LocationEntry {
  readonly locationName: string;
  /** Default: the location's name. */
  readonly team: string;
  /** Where the entry begins; from 1. */
  readonly line: number;
}

/** A deployed location, dialled by the control plane. */
export interface GrpcServerEntry extends LocationEntry {
  readonly kind: "grpcServer";
  readonly host: string;
  readonly port: number;
  /** Files in PEM. `cert` and `key` come together. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** The environment variable with the token that is sent to the location. */
  readonly tokenEnv?: string;
}

/** A location in development: started, supervised, and reloaded when its files change. */
export interface ModuleEntry extends LocationEntry {
  readonly kind: "module";
  /** The folder or file that `headgate serve` loads. */
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  /** A file of NAME=value lines; `env` wins over it. */
  readonly envFile?: string;
  /** The variable that gets the URL of a database of the location's own on `dev`'s server. */
  readonly database?: string;
  readonly sidecars: readonly WorkspaceSidecar[];
}

/** A process that is started beside a module, in development only. */
export interface WorkspaceSidecar {
  readonly name: string;
  readonly command: string;
}

export interface WorkspaceTeam {
  readonly contacts: readonly string[];
  readonly oncallUrl?: string;
  readonly runbook?: string;
}

export type WorkspaceProblemCode =
  | "workspace.not_found"
  | "workspace.invalid_yaml"
  | "workspace.unknown_key"
  | "workspace.missing_key"
  | "workspace.wrong_value"
  | "workspace.missing_variable"
  | "workspace.duplicate_location"
  | "workspace.missing_file";

export interface WorkspaceProblem {
  readonly code: WorkspaceProblemCode;
  readonly message: string;
  readonly hint: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** The location whose entry this is, if its name could be read. */
  readonly locationName?: string;
}

/** "workspace.yaml:3:5: what happened (how to mend it)", as compilers say it. */
export function formatWorkspaceProblem({ file, line, column, message, hint }: WorkspaceProblem): string {
  return `${file}:${String(line)}:${String(column)}: ${message} (${hint})`;
}

/**
 * The entries to run after a change of the file: what is right in `next`, and what was right before where `next` has
 * only a problem to say about it. An entry that is gone is gone.
 */
export function entriesWithLastGood(previous: readonly WorkspaceEntry[], next: Workspace): readonly WorkspaceEntry[] {
  if (!next.readable) return previous;
  const right = new Set(next.entries.map(({ locationName }) => locationName));
  const wrong = new Set(next.problems.map(({ locationName }) => locationName));
  const kept = previous.filter(({ locationName }) => wrong.has(locationName) && !right.has(locationName));
  return [...next.entries, ...kept];
}
