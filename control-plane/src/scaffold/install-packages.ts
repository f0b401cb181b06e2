import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Whether a package is where Node looks for it from a folder. */
export function isInstalled(name: string, folder: string): boolean {
  if (existsSync(join(folder, "node_modules", name, "package.json"))) return true;
  return dirname(folder) !== folder && isInstalled(name, dirname(folder));
}

/** Runs `npm install` in a folder; what it says goes to stderr. Returns whether it succeeded. */
export function installPackages(folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    const npm = spawn("npm", ["install", "--no-audit", "--no-fund"], {
      cwd: folder,
      // The answer of the command alone is on stdout.
      stdio: ["ignore", 2, 2],
      shell: process.platform === "win32",
    });
    npm.on("error", () => resolve(false));
    npm.on("close", (status) => resolve(status === 0));
  });
}
