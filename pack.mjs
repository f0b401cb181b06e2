// Makes the tarballs that are published: `npm run pack [folder]` writes one a package to `dist/tarballs`, or to the
// folder. In the repository the packages resolve to their TypeScript sources; a tarball has JavaScript and declarations
// instead, so each is put together in a folder of its own, with a package.json that says so.
import { execFile, execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { bundleOptions, packages, webFiles } from "./build.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));
const out = resolve(process.argv[2] ?? join(root, "dist", "tarballs"));

/** What a package ships beside its JavaScript, its declarations, its README and the licence. */
const shipped = { "control-plane": ["bin", "migrations", "templates"], proto: ["headgate"] };

const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));
const { engines } = readJson(join(root, "package.json"));

/** The source file of each entry of `exports` that has types. */
function typedEntries({ exports: entries = {} }) {
  return Object.values(entries).flatMap((entry) => (entry.types === undefined ? [] : [entry.types]));
}

const declarationOf = (source) => source.replace(/\.ts$/, ".d.ts");

/** Where the declarations of a source lie in the package. */
const packedDeclaration = (source) => declarationOf(source.replace(/^\.\/(src\/)?/, "./types/"));

/** Emits the declarations of everything that is reachable from a typed entry into `folder`, as the sources lie. */
function emitDeclarations(folder) {
  const config = join(folder, "tsconfig.json");
  const files = packages.flatMap(({ folder: name }) =>
    typedEntries(readJson(join(root, name, "package.json"))).map((entry) => join(root, name, entry)),
  );
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: root,
    outDir: join(folder, "out"),
    typeRoots: [join(root, "node_modules", "@types")],
  };
  writeFileSync(config, JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: [], files }));
  execFileSync(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", config], {
    stdio: "inherit",
  });
  return compilerOptions.outDir;
}

const specifier = /(\bfrom |\bimport\()(["'])([^"']+)\2/g;

/**
 * Copies the declarations that the entries reach; returns the names of the packages that they import. AbortSignal, URL
 * and the like are Node's: an entry names its types, since TypeScript 6 takes in none that nobody names.
 */
function copyDeclarations(from, to, entries, needsNode) {
  const imported = new Set();
  const seen = new Set();
  const visit = (source) => {
    if (seen.has(source)) return;
    seen.add(source);
    const text = readFileSync(join(from, declarationOf(source)), "utf8").replace(
      specifier,
      (_, before, quote, name) => {
        if (!name.startsWith(".")) imported.add(name.split("/", name.startsWith("@") ? 2 : 1).join("/"));
        else visit(`./${join(dirname(source), name)}`);
        return `${before}${quote}${name.startsWith(".") ? name.replace(/\.ts$/, ".js") : name}${quote}`;
      },
    );
    const file = join(to, packedDeclaration(source));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, needsNode && entries.includes(source) ? `/// <reference types="node" />\n${text}` : text);
  };
  entries.forEach(visit);
  return imported;
}

/** The package.json of the tarball: nothing of the repository's own, and `exports` that name what is shipped. */
function packedManifest(manifest) {
  const {
    private: _,
    scripts: _scripts,
    devDependencies: _dev,
    exports: entries,
    dependencies,
    bin,
    ...rest
  } = manifest;
  const packedEntries = Object.entries(entries ?? {}).map(([name, entry]) => [
    name,
    entry.types === undefined ? entry : { types: packedDeclaration(entry.types), default: entry.default },
  ]);
  return {
    ...rest,
    engines,
    ...(bin === undefined ? {} : { bin }),
    ...(entries === undefined ? {} : { exports: Object.fromEntries(packedEntries) }),
    publishConfig: { access: "public" },
    dependencies,
  };
}

async function stage({ folder, entryPoints }, declarations, at) {
  const from = join(root, folder);
  const manifest = readJson(join(from, "package.json"));
  await build({ ...bundleOptions(folder, entryPoints), outdir: join(at, "dist") });
  const imported = copyDeclarations(
    join(declarations, folder),
    at,
    typedEntries(manifest),
    "@types/node" in manifest.dependencies,
  );
  const missing = [...imported].filter((name) => manifest.dependencies[name] === undefined);
  if (missing.length > 0) throw new Error(`the types of ${manifest.name} import ${missing.join(", ")}`);
  for (const name of [...(shipped[folder] ?? []), "README.md"]) {
    cpSync(join(from, name), join(at, name), { recursive: true });
  }
  if (folder === "control-plane") {
    for (const { path, contents } of await webFiles()) {
      mkdirSync(dirname(join(at, "web", path)), { recursive: true });
      writeFileSync(join(at, "web", path), contents);
    }
  }
  cpSync(join(root, "LICENSE"), join(at, "LICENSE"));
  writeFileSync(join(at, "package.json"), `${JSON.stringify(packedManifest(manifest), null, 2)}\n`);
}

/** Packs one staged folder into `out`. */
async function pack(folder) {
  const options = { cwd: folder, shell: process.platform === "win32" };
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", out];
  const [packed] = JSON.parse((await promisify(execFile)("npm", args, options)).stdout);
  const file = join(out, packed.filename);
  if (!existsSync(file)) throw new Error(`npm pack wrote no ${file}`);
  console.log(`${file}  ${packed.files.length} files, ${Math.ceil(packed.size / 1_000)} kB`);
}

const staging = realpathSync(mkdtempSync(join(tmpdir(), "headgate-pack-")));
try {
  const declarations = emitDeclarations(staging);
  mkdirSync(out, { recursive: true });
  for (const name of readdirSync(out)) if (/^headgate-.*\.tgz$/.test(name)) rmSync(join(out, name));
  await Promise.all(
    packages.map(async (one) => {
      const folder = join(staging, one.folder.replaceAll("/", "-"));
      mkdirSync(folder);
      await stage(one, declarations, folder);
      await pack(folder);
    }),
  );
} finally {
  rmSync(staging, { recursive: true, force: true });
}
