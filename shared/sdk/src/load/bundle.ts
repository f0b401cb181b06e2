import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import type { BuildOptions, Message, Metafile, Plugin } from "esbuild";
import { build } from "esbuild";
import { failedModuleStub } from "../describe/failed-module.ts";
import { cacheFolder } from "./cache-folder.ts";

/** The code of a location on disk. */
export interface LocationSources {
  /** Absolute path of the location's folder. */
  readonly folder: string;
  /** Absolute path of the module with the definitions. */
  readonly entry: string;
}

export interface Bundle {
  /** Absolute path of the bundle's entry. */
  readonly file: string;
  /** Content hash of the bundle. */
  readonly buildId: string;
  readonly metafile: Metafile;
}

export type BundleResult =
  { readonly ok: true; readonly bundle: Bundle } | { readonly ok: false; readonly errors: readonly Message[] };

/** A module's path relative to the location's folder, with forward slashes. */
export function sourceName(sources: LocationSources, file: string): string {
  return relative(sources.folder, file).split(sep).join("/");
}

/** Bundles the location's own files; packages stay outside. `quarantined` modules are replaced by a stand-in. */
export async function bundleSources(sources: LocationSources, quarantined: ReadonlySet<string>): Promise<BundleResult> {
  const cache = cacheFolder(sources.folder);
  // Sources in the map are relative to the output, so that it is built where it will lie.
  const outfile = join(cache, "pending", "bundle.mjs");
  const result = await tryBuild({ ...options(sources, quarantined), entryPoints: [sources.entry], outfile });
  if (!result.ok) return result;
  const code = result.outputs.find((output) => output.path.endsWith(".mjs"));
  const map = result.outputs.find((output) => output.path.endsWith(".map"));
  if (code === undefined || map === undefined) throw new Error("esbuild wrote no bundle");
  const buildId = createHash("sha256").update(code.contents).digest("hex").slice(0, 32);
  // One code may lie in two folders, and have other line numbers after an edit of its comments.
  const place = createHash("sha256").update(sources.entry).update(map.contents).digest("hex").slice(0, 8);
  const folder = join(cache, `${buildId}-${place}`);
  const file = join(folder, "bundle.mjs");
  if (!existsSync(file)) {
    await mkdir(folder, { recursive: true });
    await writeWhole(`${file}.map`, map.contents);
    await writeWhole(file, code.contents);
  }
  return { ok: true, bundle: { file, buildId, metafile: result.metafile } };
}

/** Another process may load the same bundle at this moment: it must see all of a file or nothing. */
async function writeWhole(file: string, contents: Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.${Date.now()}`;
  await writeFile(temporary, contents);
  await rename(temporary, file);
}

export interface ModuleBuild {
  /** Source file and its built file, in the order of `modules`. */
  readonly files: readonly { readonly source: string; readonly file: string }[];
  remove(): Promise<void>;
}

/** Builds each module as an entry of its own, so that a probe can import one after the other. */
export async function buildModules(
  sources: LocationSources,
  modules: readonly string[],
  quarantined: ReadonlySet<string>,
): Promise<ModuleBuild> {
  const outdir = join(cacheFolder(sources.folder), `probe-${process.pid}-${Date.now()}`);
  const entryPoints = modules.map((module, index) => ({ in: module, out: `module-${index}` }));
  const built = options(sources, quarantined);
  await build({ ...built, entryPoints, outdir, splitting: true, write: true, outExtension: { ".js": ".mjs" } });
  return {
    files: modules.map((source, index) => ({ source, file: join(outdir, `module-${index}.mjs`) })),
    remove: () => rm(outdir, { recursive: true, force: true }),
  };
}

function options(sources: LocationSources, quarantined: ReadonlySet<string>): BuildOptions {
  return {
    absWorkingDir: sources.folder,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    sourcemap: "linked",
    sourcesContent: false,
    // Messages and stacks of user code keep the names that its authors gave.
    keepNames: true,
    logLevel: "silent",
    logLimit: 50,
    banner: { js: requireBanner },
    plugins: [quarantine(sources, quarantined)],
  };
}

/** Bundled CommonJS files may call require; ESM has none of its own. */
const requireBanner = `import { createRequire as __headgateRequire } from "node:module"; const require = __headgateRequire(import.meta.url);`;

/** Marks the plugin's own question, which must not be answered by asking it again. */
const lookingUp = Symbol("looking up");

function quarantine(sources: LocationSources, quarantined: ReadonlySet<string>): Plugin {
  return {
    name: "headgate-quarantine",
    setup(building) {
      if (quarantined.size === 0) return;
      // Where esbuild itself finds a module, its package may declare it an ES module. The stand-in is CommonJS: what a
      // plugin has found is taken by its text.
      building.onResolve({ filter: /^[./#]/ }, async ({ path, importer, namespace, resolveDir, kind, pluginData }) => {
        if (pluginData === lookingUp || kind === "entry-point") return undefined;
        const found = await building.resolve(path, { importer, namespace, resolveDir, kind, pluginData: lookingUp });
        return quarantined.has(found.path) ? { path: found.path } : undefined;
      });
      building.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) => {
        if (!quarantined.has(path)) return undefined;
        return { contents: failedModuleStub(sourceName(sources, path)), loader: "js" };
      });
    },
  };
}

type TriedBuild =
  | {
      readonly ok: true;
      readonly outputs: readonly { path: string; contents: Uint8Array }[];
      readonly metafile: Metafile;
    }
  | { readonly ok: false; readonly errors: readonly Message[] };

async function tryBuild(given: BuildOptions): Promise<TriedBuild> {
  try {
    const { outputFiles, metafile } = await build({ ...given, write: false, metafile: true });
    return { ok: true, outputs: outputFiles, metafile };
  } catch (error) {
    const { errors } = error as { errors?: readonly Message[] };
    if (errors === undefined) throw error;
    return { ok: false, errors };
  }
}

/** The absolute file that an esbuild message is about. */
export function fileOf(sources: LocationSources, message: Message): string | undefined {
  return message.location ? resolve(sources.folder, message.location.file) : undefined;
}
