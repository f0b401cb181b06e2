import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Whether a package is where Node looks for it from a folder. */
export function isInstalled(name: string, folder: string): boolean {
  if (existsSync(join(folder, "node_modules", name, "package.json"))) return true;
  return dirname(folder) !== folder && isInstalled(name, dirname(folder));
}

/** Whether package-lock.json, if there is one, has the location's packages: `npm ci` in its image goes by it. */
export function isLocked(root: string, folder: string): boolean {
  let text: string;
  try {
    text = readFileSync(join(root, "package-lock.json"), "utf8");
  } catch {
    return true;
  }
  // npm writes it; its own words are the shortest way to ask.
  return text.includes(`"${folder}": {`);
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
