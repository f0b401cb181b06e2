import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface InstalledPackages {
  /** Absolute paths of the files that tell of a change, whether they are there or not. */
  readonly files: readonly string[];
  /** Of what they hold. */
  readonly digest: string;
}

/** What npm, pnpm and both Yarns write once they have installed. */
const receipts = [".package-lock.json", ".modules.yaml", ".yarn-integrity", ".yarn-state.yml"];

/**
 * Which packages the code of a folder gets when it imports them: packages stay outside of a bundle, so that its own
 * digest does not tell. Read from the nearest `node_modules` and every `package.json` up to there.
 */
export async function installedPackages(folder: string): Promise<InstalledPackages> {
  const files: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    const packages = join(at, "node_modules");
    if (existsSync(packages)) {
      files.push(join(at, "package.json"), ...receipts.map((name) => join(packages, name)));
      break;
    }
    // Without any, the folder's own is all that could ask for some.
    if (dirname(at) === at) return installedIn([join(folder, "package.json")]);
    files.push(join(at, "package.json"));
  }
  return installedIn(files);
}

async function installedIn(files: readonly string[]): Promise<InstalledPackages> {
  const hash = createHash("sha256");
  for (const file of files) {
    const content = await readFile(file).catch(() => undefined);
    if (content === undefined) continue;
    hash.update(`${file}\n${content.length}\n`).update(content);
  }
  return { files, digest: hash.digest("hex") };
}
