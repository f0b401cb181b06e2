// Transpiles the packages of this repository to `dist/` with esbuild: one bundle an entry point, npm packages left
// outside; and the web UI to `web/dist` with Vite. `npm ci` runs it (the "prepare" script), and `headgate` itself runs it again in a checkout whose sources
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
    else if (/\.(tsx?|css|html|svg|proto|sql)$/.test(entry.name)) yield path;
  }
}

/** Files of an older build are kept this long for the processes that started from it. */
const leftOverAfterMs = 3_600_000;

/** A build, when it was last done, and what it is made from. */
const packagesBuild = {
  stamp: join(root, "node_modules", ".headgate-build"),
  folders: packages.map(({ folder }) => folder),
};
/** Apart, because it takes seconds: who changes the control plane does not wait for it. */
const webBuild = {
  stamp: join(root, "node_modules", ".headgate-build-web"),
  folders: ["web", "shared/model", "shared/layout"],
};

function isOlderThanSources({ stamp, folders }) {
  let builtMs;
  try {
    builtMs = statSync(stamp).mtimeMs;
  } catch {
    return true;
  }
  for (const folder of folders) {
    for (const path of sources(join(root, folder))) if (statSync(path).mtimeMs > builtMs) return true;
  }
  return false;
}

async function stampAs(startedAt, { stamp }) {
  // As of the start: what was saved while the build ran is newer than it.
  await writeFile(stamp, startedAt.toISOString());
  await utimes(stamp, startedAt, startedAt);
}

/** True if a source is newer than the last build. */
export function isStale() {
  return isOlderThanSources(packagesBuild) || isOlderThanSources(webBuild);
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

/**
 * Writes what was built, `last` after everything else and each file in one piece: a process may be starting from this
 * folder right now, and one that runs may still ask for a chunk of the build before.
 */
async function publish(outdir, files, last, startedAt) {
  const later = files.filter(({ path }) => last.has(path));
  for (const { path, contents } of [...files.filter(({ path }) => !last.has(path)), ...later]) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.${process.pid}.new`, contents);
    await rename(`${path}.${process.pid}.new`, path);
  }
  const written = new Set(files.map(({ path }) => path));
  for (const entry of readdirSync(outdir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const changedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (entry.isFile() && !written.has(path) && startedAt.getTime() - changedMs > leftOverAfterMs) {
      await rm(path, { force: true });
    }
  }
}

async function buildPackages() {
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
      // Chunks before the entry points that import them.
      const entries = new Set(entryPoints.map((entry) => join(outdir, basename(entry).replace(/\.ts$/, ".js"))));
      await publish(outdir, outputFiles, entries, startedAt);
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
  await stampAs(startedAt, packagesBuild);
}

/** The files of the web UI, as `{ path, contents }` with paths below its folder. */
export async function webFiles() {
  const { build: viteBuild } = await import("vite");
  const { NODE_ENV: before } = process.env;
  // Vite takes React's slow development version for anything else, "test" of vitest too.
  process.env.NODE_ENV = "production";
  const { output } = await viteBuild({
    configFile: join(root, "web", "vite.config.ts"),
    logLevel: "warn",
    build: { write: false },
  }).finally(() => {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  });
  return output.map((part) => ({ path: part.fileName, contents: part.type === "chunk" ? part.code : part.source }));
}

async function buildWeb() {
  if (!isOlderThanSources(webBuild)) return;
  const startedAt = new Date();
  const outdir = join(root, "web", "dist");
  const files = (await webFiles()).map(({ path, contents }) => ({ path: join(outdir, path), contents }));
  await publish(outdir, files, new Set([join(outdir, "index.html")]), startedAt);
  await stampAs(startedAt, webBuild);
}

export async function build() {
  await buildPackages();
  await buildWeb();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await build();
