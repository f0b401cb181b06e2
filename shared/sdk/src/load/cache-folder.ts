import { accessSync, constants, existsSync, mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";

/**
 * Where bundles are written: inside the nearest `node_modules`, so that they import the packages that the sources
 * would; where that cannot be written to, a temporary folder with a link to it.
 */
export function cacheFolder(folder: string): string {
  const packages = nearestPackages(folder);
  if (packages !== undefined && isWritable(packages)) {
    const cache = join(packages, ".cache", "headgate");
    mkdirSync(cache, { recursive: true });
    return cache;
  }
  const id = createHash("sha256")
    .update(packages ?? folder)
    .digest("hex")
    .slice(0, 12);
  const cache = join(realpathSync(tmpdir()), `headgate-${userInfo().uid}-${id}`);
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const link = join(cache, "node_modules");
  if (packages !== undefined && !existsSync(link)) symlinkSync(packages, link);
  return cache;
}

function nearestPackages(folder: string): string | undefined {
  const packages = join(folder, "node_modules");
  // By its real path, as the bundle will be imported: the source map names sources relative to it.
  if (existsSync(packages)) return realpathSync(packages);
  return dirname(folder) === folder ? undefined : nearestPackages(dirname(folder));
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
