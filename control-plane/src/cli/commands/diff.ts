import type { Graph } from "../../domain/asset-graph.ts";
import { type DefinitionsSnapshot, snapshotGraph } from "../../domain/definitions-snapshot.ts";
import { isSafe, type WorkspaceDiff, workspaceDiff } from "../../domain/workspace-diff.ts";
import { deployedSnapshot } from "../../processes/deployed-snapshot.ts";
import type { WorkspaceDefinitions } from "../../processes/workspace-definitions.ts";
import { CliError } from "../cli-error.ts";
import { exitStatus } from "../exit-status.ts";
import { painter } from "../paint.ts";
import type { DiffCommand } from "../process-commands.ts";
import { processTerminal } from "../terminal.ts";
import { readSnapshot } from "./diff-against.ts";
import { diffMarkdown } from "./diff-markdown.ts";
import { diffText } from "./diff-text.ts";
import { loadUntilStopped } from "./validate.ts";

/**
 * Compares the definitions of a checkout with those of a control plane or of a file. Status 0; with `exitCode` 1 if
 * something is removed, served to fewer, refused or checked less.
 *
 * @throws CliError if either side cannot be read
 */
export async function diff(options: DiffCommand): Promise<number> {
  const { against, workspace, locations: only, format, json, exitCode } = options;
  const terminal = processTerminal();
  // First, as it takes no time to find that it is not there.
  const before = await readSnapshot(against, terminal.env);
  const beforeGraph = graphOf(before, against);
  const loaded = await loadUntilStopped(workspace, only);
  if (loaded === undefined) return exitStatus.detached;
  refuseUnclear(loaded);
  const after = deployedSnapshot(before, beforeGraph, loaded.locations, only.length === 0);
  const found = workspaceDiff(beforeGraph, snapshotGraph(after));
  const safe = isSafe(found);
  if (json) terminal.out(`${JSON.stringify({ against, safe, ...presented(found) }, null, 2)}\n`);
  else if (format === "markdown") terminal.out(diffMarkdown(found));
  else terminal.out(diffText(painter(terminal.colors), found, against));
  return exitCode && !safe ? exitStatus.failed : exitStatus.succeeded;
}

function graphOf(snapshot: DefinitionsSnapshot, from: string): Graph {
  try {
    return snapshotGraph(snapshot);
  } catch (error) {
    const message = `${from} does not hold the definitions of a workspace: ${error instanceof Error ? error.message : String(error)}`;
    throw new CliError("cli.bad_snapshot", message, "Write it anew with: headgate validate --out FILE");
  }
}

/** What cannot be read must not be taken for gone. */
function refuseUnclear({ workspace }: WorkspaceDefinitions): void {
  const problem = workspace.problems.find(({ locationName }) => locationName === undefined);
  if (problem === undefined) return;
  const { file, line, message, hint } = problem;
  throw new CliError("cli.bad_workspace", `${file}:${line}: ${message}`, `${hint}. headgate validate says all.`);
}

/** Errors as other commands show them: a file and a line, or null. */
function presented({ refused, ...rest }: WorkspaceDiff): object {
  return {
    ...rest,
    refused: refused.map(({ source, ...error }) => ({
      ...error,
      file: source === undefined || source.file === "" ? null : source.file,
      line: source === undefined || source.line === 0 ? null : source.line,
    })),
  };
}
