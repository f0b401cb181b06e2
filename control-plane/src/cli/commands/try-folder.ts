import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

/** The newest folders that are kept: what was tried an hour ago is still worth a look. */
const keptMax = 10;

/** Makes the scratch folder of a trial below the data folder, and removes the oldest ones. Absolute. */
export async function scratchFolder(dataDir: string, asset: string, partition: string, nowMs: number): Promise<string> {
  const parent = join(resolve(dataDir), "try");
  const name = [new Date(nowMs).toISOString().replace(/[-:]/g, ""), asset, partition, String(process.pid)]
    .filter((part) => part !== "")
    .map((part) => part.replace(/[^A-Za-z0-9_.-]+/g, "_").slice(0, 80))
    .join("-");
  const folder = join(parent, name);
  await mkdir(folder, { recursive: true });
  // By name is by age.
  const others = (await readdir(parent)).filter((entry) => /^\d{8}T/.test(entry) && entry !== name).sort();
  for (const old of others.slice(0, 1 - keptMax)) await rm(join(parent, old), { recursive: true, force: true });
  return folder;
}
