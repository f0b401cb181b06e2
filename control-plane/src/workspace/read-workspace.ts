import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseWorkspace } from "./parse-workspace.ts";
import type { Workspace, WorkspaceEntry, WorkspaceProblem } from "./workspace.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a workspace.yaml and looks whether the files it names are there. Throws nothing: see `Workspace.problems`. */
export async function readWorkspace(path: string, env: Environment = process.env): Promise<Workspace> {
  const file = resolve(path);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    return {
      file,
      entries: [],
      teams: {},
      queue: undefined,
      readable: false,
      problems: [
        {
          code: "workspace.not_found",
          message: absent ? "there is no such file" : `cannot read the file: ${(error as Error).message}`,
          hint: "make one with: headgate new location <name>, or name another with --workspace",
          file,
          line: 1,
          column: 1,
        },
      ],
    };
  }
  return withoutMissingFiles(parseWorkspace(text, file, env));
}

/**
 * The files beside it whose content is part of what a workspace says: env files and certificates. Absolute; whether
 * they are there or not.
 */
export function filesBeside(text: string, path: string, env: Environment = process.env): readonly string[] {
  return parseWorkspace(text, resolve(path), env).entries.flatMap((entry) => filesOf(entry).map((file) => file.path));
}

/** The workspace with each entry that names a file that is not there turned into a problem of that entry. */
function withoutMissingFiles(workspace: Workspace): Workspace {
  const problems: WorkspaceProblem[] = [];
  const entries = workspace.entries.filter((entry) => {
    const missing = filesOf(entry).find(({ path }) => !existsSync(path));
    if (missing === undefined) return true;
    problems.push({
      code: "workspace.missing_file",
      message: `${entry.locationName}: ${missing.key}: there is no ${missing.path}`,
      hint: "paths are relative to the workspace file",
      file: workspace.file,
      line: entry.line,
      column: 1,
      locationName: entry.locationName,
    });
    return false;
  });
  return { ...workspace, entries, problems: [...workspace.problems, ...problems] };
}

function filesOf(entry: WorkspaceEntry): { key: string; path: string }[] {
  switch (entry.kind) {
    case "module":
      return [
        { key: "path", path: entry.path },
        ...(entry.envFile === undefined ? [] : [{ key: "env_file", path: entry.envFile }]),
      ];
    case "grpcServer":
      return Object.entries(entry.tls ?? {}).map(([key, path]) => ({ key: `tls: ${key}`, path }));
  }
}
