// Generates `gen/` from the .proto files with buf and ts-proto. `--check` generates beside it and fails on a difference.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const buf = join(createRequire(import.meta.url).resolve("@bufbuild/buf/package.json"), "..", "bin", "buf");
const run = (arguments_) => execFileSync(process.execPath, [buf, ...arguments_], { cwd: folder, stdio: "inherit" });

run(["lint"]);
if (process.argv.includes("--check")) {
  const before = mkdtempSync(join(tmpdir(), "headgate-gen-"));
  try {
    cpSync(join(folder, "gen"), before, { recursive: true });
    run(["generate", "--clean"]);
    execFileSync("diff", ["-r", before, join(folder, "gen")], { stdio: "inherit" });
  } finally {
    rmSync(join(folder, "gen"), { recursive: true, force: true });
    cpSync(before, join(folder, "gen"), { recursive: true });
    rmSync(before, { recursive: true, force: true });
  }
} else {
  run(["generate", "--clean"]);
}
