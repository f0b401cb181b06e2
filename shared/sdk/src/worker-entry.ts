import { fileURLToPath } from "node:url";

/** The file that worker processes run: the built one, also where this module runs from its TypeScript source. */
export function workerEntry(): string {
  const fromHere = import.meta.url.endsWith(".ts") ? "../dist/worker.js" : "./worker.js";
  return fileURLToPath(new URL(fromHere, import.meta.url));
}
