import { basename } from "node:path";
import { ScaffoldError } from "./scaffold-error.ts";

interface PackageJson {
  workspaces?: readonly string[] | { packages?: readonly string[] };
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  [key: string]: unknown;
}

/** What `npm init` writes where a test script belongs. */
const noTest = /no test specified/;

/**
 * The text of the package.json beside workspace.yaml, made or amended so that the location at `folder` belongs to it:
 * npm links its packages, `npm test` runs the tests, and `headgate` is there. What it has stays.
 *
 * @throws ScaffoldError `new.package_unreadable`
 */
export function rootPackage(
  text: string | undefined,
  file: string,
  { root, folder, version }: { readonly root: string; readonly folder: string; readonly version: string },
): string {
  const made = text === undefined ? { name: packageName(root), private: true, type: "module" } : parsed(text, file);
  const json: PackageJson = { ...made };
  const patterns = Array.isArray(json.workspaces)
    ? (json.workspaces as readonly string[])
    : ((json.workspaces as { packages?: readonly string[] } | undefined)?.packages ?? []);
  if (!patterns.some((pattern) => covers(pattern, folder))) {
    const all = [...patterns, patterns.length === 0 ? `${folder.slice(0, folder.lastIndexOf("/"))}/*` : folder];
    json.workspaces = Array.isArray(json.workspaces ?? []) ? all : { ...json.workspaces, packages: all };
  }
  if (json.scripts?.["test"] === undefined || noTest.test(json.scripts["test"])) {
    json.scripts = { ...json.scripts, test: "vitest run" };
  }
  if (json.dependencies?.["headgate"] === undefined && json.devDependencies?.["headgate"] === undefined) {
    json.dependencies = { ...json.dependencies, headgate: version };
  }
  const indent = /\n([ \t]+)"/.exec(text ?? "")?.[1] ?? "  ";
  return `${JSON.stringify(json, null, indent)}\n`;
}

/** The folders below the root that hold packages which its package.json takes from files. */
export function packageFolders(text: string | undefined, file: string): string[] {
  if (text === undefined) return [];
  const { dependencies = {}, devDependencies = {} } = parsed(text, file);
  const folders = Object.values({ ...dependencies, ...devDependencies }).flatMap((spec) => {
    const path = /^file:(?:\.\/)?([^./][^:]*)\/[^/]+\.tgz$/.exec(spec)?.[1];
    return path === undefined || path.split("/").includes("..") ? [] : [path];
  });
  return [...new Set(folders)].sort();
}

function parsed(text: string, file: string): PackageJson {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as PackageJson;
  } catch {
    // Said below.
  }
  throw new ScaffoldError("new.package_unreadable", `${file} is no JSON object.`, "Mend it, then try again.");
}

/** A folder's name as npm takes it for the name of a package. */
function packageName(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+/, "");
  // A package of this name could not depend on the one that it needs.
  return name === "" || name === "headgate" ? "workspace" : name;
}

/** Whether a pattern of `workspaces` takes in the folder. `*` stands for a part of one name, `**` for folders. */
function covers(pattern: string, folder: string): boolean {
  const literal = pattern
    .replace(/^\.\//, "")
    .replace(/\/$/, "")
    .replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
  const expression = literal.replaceAll(/\*\*?/g, (stars) => (stars === "**" ? ".*" : "[^/]*"));
  return new RegExp(`^${expression}$`).test(folder);
}
