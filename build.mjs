// Transpiles the packages of this repository to `dist/` with esbuild: one bundle an entry point, npm packages left
// outside. `npm ci` runs it (the "prepare" script), and `headgate` itself runs it again in a checkout whose sources
// are newer than what was built, so that nobody has to know that there is a build.
import { readdirSync, statSync } from "node:fs";
import { mkdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL(".", import.meta.url));

/** Every package that ships JavaScript: its folder and its entry points. */
export const packages = [
  { folder: "proto", entryPoints: ["index.ts"] },
  { folder: "shared/model", entryPoints: ["src/index.ts"] },
  { folder: "shared/layout", entryPoints: ["src/index.ts"] },
  { folder: "shared/sdk", entryPoints: ["src/index.ts", "src/serve.ts", "src/testing.ts", "src/worker.ts"] },
  { folder: "shared/connections", entryPoints: ["src/index.ts"] },
  { folder: "control-plane", entryPoints: ["src/main.ts"] },
];

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name === "dist") continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.(ts|proto|sql)$/.test(entry.name)) yield path;
  }
}

/** Files of an older build are kept this long for the processes that started from it. */
const leftOverAfterMs = 3_600_000;

const stamp = join(root, "node_modules", ".headgate-build");

/** True if a source is newer than the last build. */
export function isStale() {
  let builtMs;
  try {
    builtMs = statSync(stamp).mtimeMs;
  } catch {
    return true;
  }
  for (const { folder } of packages) {
    for (const path of sources(join(root, folder))) if (statSync(path).mtimeMs > builtMs) return true;
  }
  return false;
}

/** How a package becomes JavaScript, here and when it is packed. */
export function bundleOptions(folder, entryPoints) {
  return {
    entryPoints: entryPoints.map((entry) => join(root, folder, entry)),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    logLevel: "warning",
  };
}

export async function build() {
  const startedAt = new Date();
  const esbuild = await import("esbuild");
  const outcomes = await Promise.allSettled(
    packages.map(async ({ folder, entryPoints }) => {
      const outdir = join(root, folder, "dist");
      const { outputFiles } = await esbuild.build({
        ...bundleOptions(folder, entryPoints),
        outdir,
        write: false,
        sourcemap: true,
        sourcesContent: false,
      });
      // Chunks before the entry points that import them, and each file in one piece: a process may be starting from this
      // folder right now, and one that runs may still import a chunk of the build before.
      const entries = new Set(entryPoints.map((entry) => join(outdir, basename(entry).replace(/\.ts$/, ".js"))));
      const chunks = outputFiles.filter(({ path }) => !entries.has(path));
      for (const { path, contents } of [...chunks, ...outputFiles.filter(({ path }) => entries.has(path))]) {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(`${path}.${process.pid}.new`, contents);
        await rename(`${path}.${process.pid}.new`, path);
      }
      const written = new Set(outputFiles.map(({ path }) => path));
      for (const name of readdirSync(outdir)) {
        const path = join(outdir, name);
        const changedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
        if (!written.has(path) && startedAt.getTime() - changedMs > leftOverAfterMs) await rm(path, { force: true });
      }
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
  // As of the start: what was saved while the build ran is newer than it.
  await writeFile(stamp, startedAt.toISOString());
  await utimes(stamp, startedAt, startedAt);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await build();
