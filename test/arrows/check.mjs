// Holds the tree against the arrows of .dependency-cruiser.cjs and against the rules for file names; then runs the same
// rules over a planted tree (canary/) and fails unless every rule catches its violation and nothing else is reported.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { cruise } from "dependency-cruiser";

const root = resolve(fileURLToPath(new URL("../..", import.meta.url)));
const { forbidden, options } = createRequire(import.meta.url)(join(root, ".dependency-cruiser.cjs"));
const folders = ["proto", "shared", "control-plane", "code-locations", "web", "docs", "test"];

/** The source files below `at`, as paths relative to it: read from the disk, so that the tool cannot overlook one. */
function sourceFiles(at) {
  const found = [];
  const visit = (folder) => {
    for (const entry of readdirSync(join(at, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!["node_modules", "dist", "canary", "results"].includes(entry.name)) visit(path);
      } else if (/\.(ts|tsx|mts|cts|mjs|cjs|js|jsx)$/.test(entry.name)) found.push(path);
    }
  };
  for (const folder of folders) if (existsSync(join(at, folder))) visit(folder);
  return found;
}

const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|test-d|config|d))?\.(ts|tsx|mjs|cjs|js)$/;
const saysNothing =
  /^(.+-)?(utils?|commons?|helpers?|types|misc|services?)\.[a-z]+$|^(?!io-manager)(.+-)?managers?\.[a-z]+$/;

function namingProblems(files) {
  const problems = [];
  for (const path of files) {
    if (path.startsWith(join("proto", "gen"))) continue;
    const name = basename(path);
    if (!kebabCase.test(name)) problems.push({ rule: "names-are-kebab-case", from: path });
    if (saysNothing.test(name)) problems.push({ rule: "names-say-what-is-inside", from: path });
  }
  return problems;
}

/** Every violation in the tree at `at`, as `{ rule, from, to }`, and how many modules were read. */
async function violationsOf(at) {
  const files = sourceFiles(at);
  const previousFolder = process.cwd();
  process.chdir(at);
  try {
    const { output } = await cruise(
      folders.filter((folder) => existsSync(join(at, folder))),
      { ...options, validate: true, ruleSet: { forbidden }, baseDir: at },
    );
    const read = new Set(output.modules.map(({ source }) => source));
    const unread = files.filter((path) => !read.has(path));
    if (files.length === 0 || unread.length > 0) {
      throw new Error(
        `dependency-cruiser read ${files.length - unread.length} of ${files.length} source files; it overlooked ` +
          `${unread.slice(0, 5).join(", ")}. Its version and TypeScript's must fit: npx depcruise --info`,
      );
    }
    const violations = output.summary.violations.map(({ rule, from, to, cycle }) => ({
      rule: rule.name,
      from,
      to: cycle === undefined ? to : cycle.map(({ name }) => name).join(" → "),
    }));
    return { violations: [...violations, ...namingProblems(files)], fileCount: files.length };
  } finally {
    process.chdir(previousFolder);
  }
}

/** Copies the canary out of the tree and installs it as npm would: packages as links, libraries as stand-ins. */
function plantCanary() {
  const at = realpathSync(mkdtempSync(join(tmpdir(), "headgate-arrows-")));
  cpSync(fileURLToPath(new URL("canary", import.meta.url)), at, { recursive: true });
  const libraries = [
    "@grpc/grpc-js",
    "@standard-schema/spec",
    "croner",
    "fastify",
    "kysely",
    "left-pad",
    "pg",
    "vitest",
  ];
  for (const library of libraries) {
    const folder = join(at, "node_modules", library);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: library, version: "1.0.0", main: "index.js" }));
    writeFileSync(join(folder, "index.js"), "module.exports = {};\n");
  }
  mkdirSync(join(at, "node_modules", "@headgate"));
  for (const folder of ["proto", "shared/model", "shared/layout", "shared/sdk", "shared/connections"]) {
    symlinkSync(join(at, folder), join(at, "node_modules", "@headgate", basename(folder)), "dir");
  }
  return at;
}

/** A planted file says in comments `// violates: <rule>` what must be reported on it; one without must pass. */
async function canaryProblems() {
  const at = plantCanary();
  try {
    const planted = new Set();
    for (const path of sourceFiles(at)) {
      for (const [, rule] of readFileSync(join(at, path), "utf8").matchAll(/^\/\/ violates: ([\w-]+)$/gm)) {
        planted.add(`${rule} in ${path}`);
      }
    }
    const { violations } = await violationsOf(at);
    const reported = new Set(violations.map(({ rule, from }) => `${rule} in ${from}`));
    const rules = [...forbidden.map(({ name }) => name), "names-are-kebab-case", "names-say-what-is-inside"];
    const plantedRules = new Set([...planted].map((entry) => entry.split(" ")[0]));
    return {
      count: planted.size,
      problems: [
        ...rules.filter((rule) => !plantedRules.has(rule)).map((rule) => `no violation of ${rule} is planted`),
        ...[...planted].filter((entry) => !reported.has(entry)).map((entry) => `not caught: ${entry}`),
        ...[...reported].filter((entry) => !planted.has(entry)).map((entry) => `caught, but not planted: ${entry}`),
      ],
    };
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
}

const comments = new Map(forbidden.map(({ name, comment }) => [name, comment]));
comments.set("names-are-kebab-case", "Name the file after its export, in kebab-case.");
comments.set(
  "names-say-what-is-inside",
  "utils, common, helpers, types, manager and service say nothing: name the concept.",
);

const { violations, fileCount } = await violationsOf(root);
const canary = await canaryProblems();

for (const [rule, comment] of comments) {
  const found = violations.filter((violation) => violation.rule === rule);
  if (found.length === 0) continue;
  console.error(`${rule}: ${comment}`);
  for (const { from, to } of found) console.error(`  ${from}${to === undefined || to === from ? "" : ` → ${to}`}`);
}
for (const problem of canary.problems) console.error(`canary: ${problem}`);
console.log(
  `arrows: ${fileCount} files, ${violations.length} violations; canary: ${canary.count} planted, ` +
    `${canary.problems.length} wrong`,
);
process.exitCode = violations.length + canary.problems.length === 0 ? 0 : 1;
