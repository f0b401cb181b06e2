import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import type { Loader, Metafile } from "esbuild";
import { transform } from "esbuild";

/** The location's own modules in a bundle, absolute, dependencies first. */
export function sourceModules(metafile: Metafile, entry: string, workingFolder: string): string[] {
  const ordered: string[] = [];
  const seen = new Set<string>();
  const visit = (input: string): void => {
    if (seen.has(input)) return;
    seen.add(input);
    for (const imported of metafile.inputs[input]?.imports ?? []) if (!imported.external) visit(imported.path);
    if (!input.includes(":")) ordered.push(resolve(workingFolder, input));
  };
  const root = Object.keys(metafile.inputs).find((input) => resolve(workingFolder, input) === entry);
  if (root !== undefined) visit(root);
  return ordered;
}

/** The modules that `file` imports, absolute. */
export function importsOf(metafile: Metafile, file: string, workingFolder: string): string[] {
  const input = Object.keys(metafile.inputs).find((name) => resolve(workingFolder, name) === file);
  const imports = input === undefined ? [] : (metafile.inputs[input]?.imports ?? []);
  return imports.filter(({ external }) => !external).map(({ path }) => resolve(workingFolder, path));
}

const loaders: Readonly<Record<string, Loader>> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".js": "js",
  ".mjs": "js",
  ".cjs": "js",
  ".jsx": "jsx",
};

const hashes = new Map<string, { readonly text: string; readonly hash: string }>();

/** A hash of each module's text that neither white space, nor comments, nor types change. */
export async function sourceHashes(files: readonly string[]): Promise<Record<string, string>> {
  const hashed = await Promise.all(files.map(async (file) => [file, await sourceHash(file)] as const));
  return Object.fromEntries(hashed);
}

async function sourceHash(file: string): Promise<string> {
  const text = await readFile(file, "utf8");
  const known = hashes.get(file);
  if (known?.text === text) return known.hash;
  const loader = loaders[extname(file)];
  let code = text;
  if (loader !== undefined) {
    try {
      code = (await transform(text, { loader, minifyWhitespace: true, legalComments: "none", logLevel: "silent" }))
        .code;
    } catch {
      // A module that does not parse has its own error; its text is hash enough.
    }
  }
  const hash = createHash("sha256").update(code).digest("hex");
  hashes.set(file, { text, hash });
  return hash;
}
