import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { parseWorkspace } from "../workspace/parse-workspace.ts";
import { name as nameRule } from "../workspace/value-rules.ts";
import { type ModuleLocation, withLocation } from "../workspace/with-location.ts";
import { formatWorkspaceProblem } from "../workspace/workspace.ts";
import { locationFiles } from "./location-files.ts";
import { packageFolders, rootPackage } from "./root-package.ts";
import { ScaffoldError } from "./scaffold-error.ts";

export interface ScaffoldOptions {
  readonly locationName: string;
  readonly team: string;
  /** The workspace file; made if it is not there. */
  readonly workspace: string;
  /** Of headgate: the one that the location's packages are wanted in. */
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Scaffolded {
  /** Absolute: of the workspace file, where npm and headgate are run. */
  readonly root: string;
  /** Of the location, relative to the root, with forward slashes. */
  readonly folder: string;
  /** Relative to the root. */
  readonly made: readonly string[];
  readonly changed: readonly string[];
}

const gitignore = "node_modules/\n.headgate/\n";

/**
 * Makes a code location, its entry in the workspace file, and what is lacking around it. Everything is looked at first,
 * so that a refusal leaves nothing behind; the entry is written last, so that a running `dev` finds the location whole.
 *
 * @throws ScaffoldError
 */
export async function scaffoldLocation(options: ScaffoldOptions): Promise<Scaffolded> {
  const { locationName, team, version } = options;
  for (const [what, value] of [
    ["location", locationName],
    ["team", team],
  ] as const) {
    if (nameRule.pattern.test(value)) continue;
    throw new ScaffoldError(
      "new.bad_name",
      `${JSON.stringify(value)} is no name of a ${what}.`,
      `It must be ${nameRule.expected}.`,
    );
  }
  const file = resolve(options.workspace);
  const root = dirname(file);
  const folder = `code-locations/${locationName}`;
  const at = join(root, folder);
  if (existsSync(at)) {
    throw new ScaffoldError("new.exists", `${at} is already there.`, "Take another name, or remove it.");
  }
  const location = { locationName, team, path: folder };
  const workspace = await amendedWorkspace(file, location, options.env);
  const packageFile = join(root, "package.json");
  const packageText = await textOf(packageFile);
  const packageJson = rootPackage(packageText, packageFile, { root, folder, version });
  const ignored = join(root, ".gitignore");

  const files = await locationFiles({
    locationName,
    team,
    folder,
    version,
    packageFolders: packageFolders(packageText, packageFile),
  });

  const made = await writeLocation(at, files);
  const changed: string[] = [];
  const write = async (path: string, before: string | undefined, after: string) => {
    if (before === after) return;
    await writeWhole(path, after);
    (before === undefined ? made : changed).push(path);
  };
  if (!existsSync(ignored)) await write(ignored, undefined, gitignore);
  await write(packageFile, packageText, packageJson);
  await write(file, workspace.before, workspace.after);
  const shown = (paths: readonly string[]) => paths.map((path) => relative(root, path).split(sep).join("/"));
  return { root, folder, made: shown(made), changed: shown(changed) };
}

/** The workspace file with the entry. What it read as before, it must read as afterwards, and the location with it. */
async function amendedWorkspace(
  file: string,
  location: ModuleLocation,
  env: ScaffoldOptions["env"],
): Promise<{ before: string | undefined; after: string }> {
  const before = await textOf(file);
  const read = parseWorkspace(before ?? "load_from: []", file, env);
  if (!read.readable) {
    const where = read.problems.map((problem) => formatWorkspaceProblem(problem)).join("\n");
    throw new ScaffoldError(
      "new.workspace_unreadable",
      `${file} cannot be read.\n${where}`,
      "Mend it, then try again.",
    );
  }
  const taken = read.entries.find(({ locationName }) => locationName === location.locationName);
  if (taken !== undefined) {
    throw new ScaffoldError(
      "new.exists",
      `${file}:${taken.line}: there is a location ${location.locationName} already.`,
      "Take another name, or remove the entry.",
    );
  }
  const after = withLocation(before ?? "# The code locations that `headgate dev` starts.\n", location);
  const names = (text: string) => parseWorkspace(text, file, env).entries.map(({ locationName }) => locationName);
  const expected = [...read.entries.map(({ locationName }) => locationName), location.locationName];
  if (after === undefined || JSON.stringify(names(after)) !== JSON.stringify(expected)) {
    throw new ScaffoldError(
      "new.no_place",
      `${file} is written in a way that leaves no place for another entry.`,
      "Write load_from as a block list, with each entry on a line that begins with two spaces and a dash.",
    );
  }
  return { before, after };
}

/** Writes the files beside their place and moves them there as one. Returns their paths. */
async function writeLocation(at: string, files: ReadonlyMap<string, string>): Promise<string[]> {
  const staged = join(dirname(at), `.new-${process.pid}`);
  try {
    for (const [path, text] of files) {
      await mkdir(dirname(join(staged, path)), { recursive: true });
      await writeFile(join(staged, path), text);
    }
    await rename(staged, at);
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
  return [...files.keys()].map((path) => join(at, path));
}

/** A reader sees the file before or after, never half of it. */
async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  await writeFile(temporary, text);
  await rename(temporary, file);
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
