import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const dist = new URL("../../web/dist/", import.meta.url);
const entryBytesMax = 200_000;

it("The web UI starts from at most 200 kB of JavaScript, compressed", () => {
  const page = readFileSync(new URL("index.html", dist), "utf8");
  const scripts = [...page.matchAll(/(?:src|href)="\/(static\/[\w-]+\.js)"/g)].map(([, path = ""]) => path);
  expect(scripts.length).toBeGreaterThan(0);
  const bytes = scripts.map((path) => gzipSync(readFileSync(new URL(path, dist))).length).reduce((a, b) => a + b, 0);
  console.log(`entry JavaScript: ${(bytes / 1_000).toFixed(1)} kB of ${entryBytesMax / 1_000}`);
  expect(bytes).toBeLessThanOrEqual(entryBytesMax);
});
