import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Node and headgate's own file, for processes that start others. Found upward from here, bundled or not. */
export function headgateCommand(): readonly string[] {
  for (let folder = dirname(fileURLToPath(import.meta.url)); dirname(folder) !== folder; folder = dirname(folder)) {
    const file = join(folder, "bin", "headgate.mjs");
    if (existsSync(file)) return [process.execPath, file];
  }
  throw new Error("bin/headgate.mjs is not where this package was installed");
}
