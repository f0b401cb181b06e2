import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** What the files of a new location say of it. */
export interface NewLocation {
  readonly locationName: string;
  readonly team: string;
  /** Of the location, relative to the folder of workspace.yaml, with forward slashes. */
  readonly folder: string;
  /** The version that its packages are wanted in. */
  readonly version: string;
  /** Folders with tarballs that package.json names, relative to the root: an image is made of them, too. */
  readonly packageFolders: readonly string[];
}

const ending = ".tmpl";

/** The files of a new location by their path within it, with forward slashes. */
export async function locationFiles(location: NewLocation): Promise<ReadonlyMap<string, string>> {
  const folder = join(templatesFolder(), "location");
  const values: Readonly<Record<string, string>> = {
    location: location.locationName,
    team: location.team,
    teamEntry: location.team === location.locationName ? "" : `, team: ${location.team}`,
    folder: location.folder,
    parent: dirname(location.folder),
    headgate: location.version,
    packages: location.packageFolders.map((folder) => `COPY ${folder} ${folder}\n`).join(""),
    variable: location.locationName.replaceAll("-", "_").toUpperCase(),
  };
  const files = new Map<string, string>();
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of names.filter((name) => name.isFile() && name.name.endsWith(ending))) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(folder, file).slice(0, -ending.length).split(sep).join("/");
    files.set(path, filled(await readFile(file, "utf8"), values, path));
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function filled(template: string, values: Readonly<Record<string, string>>, path: string): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the template of ${path} asks for ${name}`);
    return value;
  });
}

/** The package's `templates` folder, found from the sources and from the bundle in `dist/` alike. */
function templatesFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; dirname(folder) !== folder; folder = dirname(folder)) {
    const candidate = join(folder, "templates");
    if (existsSync(candidate) && existsSync(join(folder, "package.json"))) return candidate;
  }
  throw new Error(`no templates folder above ${here}: install headgate again, the package is incomplete`);
}
