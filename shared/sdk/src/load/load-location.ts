import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { BundleReference, DescribedEntry } from "../step/worker-protocol.ts";
import type { Bundle, LocationSources } from "./bundle.ts";
import { buildModules, bundleSources, sourceName } from "./bundle.ts";
import { type InstalledPackages, installedPackages } from "./installed-packages.ts";
import type { ModuleProblem } from "./module-problem.ts";
import { importProblem, syntaxProblem } from "./module-problem.ts";
import { describeBundle, probeModules } from "./probe.ts";
import { importsOf, sourceHashes, sourceModules } from "./source-modules.ts";

/** More modules than this are not set aside one by one: then the whole location counts as broken. */
const quarantinedMax = 100;

/** A location's code as it was loaded. */
export interface LoadedLocation {
  /** Undefined when nothing could be loaded. */
  readonly bundle: BundleReference | undefined;
  readonly buildId: string;
  readonly team: string;
  readonly entries: readonly DescribedEntry[];
  readonly problems: readonly ModuleProblem[];
  /** Variables that its modules name with `env` or `secret`, without a default, and that are not set. */
  readonly missingVariables: readonly string[];
  /** What a watcher looks at, absolute: the location's own files, and those that say which packages are installed. */
  readonly files: readonly string[];
  /** Another one means that the same bundle may import other packages. */
  readonly packagesDigest: string;
}

/** The folder and the definitions module that a path names. @throws Error when there is neither */
export function locationSources(module: string): LocationSources {
  const path = resolve(module);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile()) return { folder: dirname(path), entry: path };
  for (const name of ["definitions.ts", "definitions.mts", "definitions.js", "definitions.mjs"]) {
    const entry = join(path, name);
    if (stats?.isDirectory() && statSync(entry, { throwIfNoEntry: false })?.isFile()) return { folder: path, entry };
  }
  throw new Error(
    stats === undefined
      ? `There is no code location at ${path}. Give a folder with a definitions.ts, or such a file.`
      : `${path} has no definitions.ts. Add one that ends with: export default definitions({ team, assets: [...] });`,
  );
}

/**
 * Bundles, imports and describes a location; modules that do not load are set aside, so that the others do.
 *
 * @throws the signal's reason
 */
export async function loadLocation(sources: LocationSources, signal?: AbortSignal): Promise<LoadedLocation> {
  const problems = new Map<string, ModuleProblem>();
  // Before the packages are imported: what is installed meanwhile makes another digest next time.
  const packages = await installedPackages(sources.folder);
  for (let round = 0; round <= quarantinedMax; round++) {
    const built = await bundleSources(sources, new Set(problems.keys()));
    const found = built.ok
      ? await importOnce(sources, built.bundle, problems, signal)
      : built.errors.map((error) => syntaxProblem(sources, error));
    if (!Array.isArray(found)) return withSurroundings(found, problems, packages);
    for (const problem of found) if (!problems.has(problem.file)) problems.set(problem.file, problem);
    // Nothing new to set aside, or the definitions themselves: the location as a whole does not load.
    if (found.length === 0 || problems.has(sources.entry)) break;
  }
  return withSurroundings(broken(sources, [...problems.values()]), problems, packages);
}

type Loaded = Omit<LoadedLocation, "packagesDigest">;

/** What did not load is looked at too, wherever it lies: the save that mends it may be there. */
function withSurroundings(
  loaded: Loaded,
  problems: ReadonlyMap<string, ModuleProblem>,
  packages: InstalledPackages,
): LoadedLocation {
  const broken = [...problems.values()].flatMap(({ file, missing }) =>
    missing === undefined ? [file] : [file, missing],
  );
  const files = [...new Set([...loaded.files, ...broken, ...packages.files])];
  return { ...loaded, files, packagesDigest: packages.digest };
}

/** The loaded location, or the module to set aside next. */
async function importOnce(
  sources: LocationSources,
  bundle: Bundle,
  problems: ReadonlyMap<string, ModuleProblem>,
  signal: AbortSignal | undefined,
): Promise<Loaded | ModuleProblem[]> {
  const modules = sourceModules(bundle.metafile, sources.entry, sources.folder);
  const reference: BundleReference = {
    entry: bundle.file,
    folder: sources.folder,
    sourceHashes: await sourceHashes(modules),
    entrySource: sourceName(sources, sources.entry),
  };
  const described = await describeBundle(reference, signal);
  if (described.kind === "described") {
    const { team, entries, missingVariables } = described;
    return {
      bundle: reference,
      buildId: bundle.buildId,
      team,
      entries,
      missingVariables,
      problems: [...problems.values()],
      files: modules,
    };
  }
  const failedImportsOf = (file: string) =>
    importsOf(bundle.metafile, file, sources.folder).flatMap((imported) => problems.get(imported)?.source ?? []);
  const { culprit } = described.problem;
  if (culprit !== undefined && modules.includes(culprit) && !problems.has(culprit)) {
    return [importProblem(sources, culprit, described.problem, failedImportsOf(culprit))];
  }
  const candidates = modules.filter((module) => !problems.has(module));
  const build = await buildModules(sources, candidates, new Set(problems.keys()));
  try {
    const probed = await probeModules(build.files, signal);
    return probed === undefined
      ? [importProblem(sources, sources.entry, described.problem, failedImportsOf(sources.entry))]
      : [importProblem(sources, probed.source, probed.problem, failedImportsOf(probed.source))];
  } finally {
    await build.remove();
  }
}

function broken(sources: LocationSources, problems: readonly ModuleProblem[]): Loaded {
  return {
    bundle: undefined,
    buildId: "",
    team: "",
    entries: [],
    missingVariables: [],
    problems,
    files: [sources.entry],
  };
}
