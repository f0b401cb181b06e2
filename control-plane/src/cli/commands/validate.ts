import { writeFile } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { canonicalJson } from "@headgate/model";
import type { GraphError } from "../../domain/asset-graph.ts";
import type { DefinitionKind } from "../../domain/definitions.ts";
import { type DefinitionsSnapshot, definitionsSnapshot, snapshotGraph } from "../../domain/definitions-snapshot.ts";
import { headgateCommand } from "../../launchers/headgate-command.ts";
import { shutdownSignal } from "../../processes/shutdown.ts";
import {
  type LocationDefinitions,
  loadWorkspaceDefinitions,
  UnknownLocationError,
  type WorkspaceDefinitions,
} from "../../processes/workspace-definitions.ts";
import { CliError } from "../cli-error.ts";
import { exitStatus } from "../exit-status.ts";
import { type Paint, painter } from "../paint.ts";
import { printable } from "../printable.ts";
import type { ValidateCommand } from "../process-commands.ts";
import { processTerminal } from "../terminal.ts";

/** Something that is wrong in a workspace, or worth a look. */
interface Finding {
  /** Null: it is about the workspace as a whole. */
  readonly location: string | null;
  readonly kind: "workspace" | "location" | DefinitionKind;
  readonly key: string;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** As it is reached from the working folder; of a deployed location, as that location says it. */
  readonly file: string | null;
  /** From 1. */
  readonly line: number | null;
}

interface Validation {
  readonly valid: boolean;
  readonly locations: readonly {
    readonly name: string;
    readonly team: string;
    readonly loaded: boolean;
    /** Those that nothing is wrong with. */
    readonly assets: number;
    readonly checks: number;
    readonly schedules: number;
  }[];
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/**
 * Loads every location of a workspace, builds the asset graph as the control plane would, and says all that is wrong.
 * Status 0: nothing; 1: something.
 */
export async function validate({ workspace, out, json }: ValidateCommand): Promise<number> {
  const terminal = processTerminal();
  const loaded = await loadUntilStopped(workspace);
  if (loaded === undefined) return exitStatus.detached;
  const snapshot = definitionsSnapshot(loaded);
  const validation = judged(loaded, snapshot);
  if (out !== undefined) await writeSnapshot(out, snapshot);
  terminal.out(
    json ? `${JSON.stringify(validation, null, 2)}\n` : validationText(painter(terminal.colors), validation, out),
  );
  return validation.valid ? exitStatus.succeeded : exitStatus.failed;
}

/** Undefined: Ctrl-C came first. Whatever was started has ended. */
export async function loadUntilStopped(
  workspace: string,
  only: readonly string[] = [],
): Promise<WorkspaceDefinitions | undefined> {
  const stop = new AbortController();
  void shutdownSignal().then(() => stop.abort());
  try {
    return await loadWorkspaceDefinitions({ workspace, only, command: headgateCommand(), signal: stop.signal });
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    if (error instanceof UnknownLocationError) throw new CliError(error.code, error.message, error.hint);
    throw error;
  }
}

async function writeSnapshot(file: string, snapshot: DefinitionsSnapshot): Promise<void> {
  try {
    // Members in one order, so that two files of the same definitions are the same.
    await writeFile(file, `${JSON.stringify(JSON.parse(canonicalJson(snapshot)), null, 2)}\n`);
  } catch (error) {
    const message = `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`;
    throw new CliError("cli.bad_out", message, "Name another file with --out.");
  }
}

function judged({ workspace, locations }: WorkspaceDefinitions, snapshot: DefinitionsSnapshot): Validation {
  const graph = snapshotGraph(snapshot);
  const folders = new Map(locations.map((location) => [location.name, location]));
  const errors = [
    ...workspace.problems.map(({ code, message, hint, file, line, locationName = null }): Finding => ({
      location: locationName,
      kind: "workspace",
      key: locationName ?? "workspace.yaml",
      code,
      message,
      hint,
      file: fromHere(file),
      line,
    })),
    // What is wrong with an entry is said above, where it stands.
    ...graph.errors.filter(({ code }) => !code.startsWith("workspace.")).map((error) => finding(error, folders)),
  ];
  return {
    valid: errors.length === 0,
    locations: locations.map(({ name, team, error }) => ({
      name,
      team,
      loaded: error === undefined,
      assets: graph.order.filter((node) => node.location === name && node.error === undefined).length,
      checks: graph.order
        .flatMap((node) => node.checks)
        .filter((check) => check.location === name && check.error === undefined).length,
      schedules: [...graph.schedules.values()].filter((node) => node.location === name && node.error === undefined)
        .length,
    })),
    errors,
    warnings: graph.warnings.map((warning) => finding(warning, folders)),
  };
}

function finding(error: GraphError, locations: ReadonlyMap<string, LocationDefinitions>): Finding {
  const { location: name, kind, key, code, message, hint, source } = error;
  const location = locations.get(name);
  const file = source === undefined || source.file === "" ? null : source.file;
  return {
    location: name,
    kind: location?.error !== undefined && kind === "module" ? "location" : kind,
    key,
    code,
    message,
    hint,
    file: file === null || location?.folder === undefined ? file : fromHere(join(location.folder, file)),
    line: source === undefined || source.line === 0 ? null : source.line,
  };
}

function fromHere(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") || isAbsolute(path) ? file : path;
}

const findingsShownMax = 500;

function validationText(paint: Paint, { locations, errors, warnings }: Validation, out: string | undefined): string {
  const lines = errors.slice(0, findingsShownMax).flatMap((error) => findingLines(paint, error, "red"));
  if (errors.length > findingsShownMax) lines.push(`and ${errors.length - findingsShownMax} more (--json has all)`);
  lines.push(...warnings.slice(0, findingsShownMax).flatMap((warning) => findingLines(paint, warning, "yellow")));
  if (lines.length > 0) lines.push("");
  const loaded = locations.filter((location) => location.loaded);
  const assets = loaded.reduce((sum, location) => sum + location.assets, 0);
  const checks = loaded.reduce((sum, location) => sum + location.checks, 0);
  const schedules = loaded.reduce((sum, location) => sum + location.schedules, 0);
  const kinds = [counted(assets, "asset"), counted(checks, "check"), counted(schedules, "schedule")];
  const told = schedules === 0 ? kinds.slice(0, 2).join(" and ") : `${kinds.slice(0, 2).join(", ")} and ${kinds[2]}`;
  const good = `${told} of ${counted(loaded.length, "location")} are good.`;
  const silent = locations.filter((location) => !location.loaded).map(({ name }) => name);
  const missing = silent.length === 0 ? "" : ` Not loaded: ${silent.join(", ")}.`;
  lines.push(
    errors.length === 0
      ? `${paint("green", "✓")} ${good}`
      : `${paint("red", "✕")} ${counted(errors.length, "error")}; ${good}${missing}`,
  );
  if (out !== undefined) lines.push(`The definitions are in ${out}.`);
  return `${lines.join("\n")}\n`;
}

function findingLines(paint: Paint, finding: Finding, color: "red" | "yellow"): string[] {
  const { location, key, code, message, hint, file, line } = finding;
  const place = file === null ? (location ?? key) : line === null ? file : `${file}:${line}`;
  const [first = "", ...more] = printable(message).split("\n");
  return [
    `${paint("bold", printable(place))}: ${paint(color, first)} ${paint("dim", `[${code}]`)}`,
    ...more.map((text) => `    ${text}`),
    ...(hint === "" ? [] : [`    ${printable(hint)}`]),
  ];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
