#!/usr/bin/env node
// In a checkout, sources that are newer than what was built are built first, so that nobody has to know that there is a
// build. Installed from a package there are no sources, and this only starts what was shipped.
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const builder = path("../../build.mjs");
const built = path("../dist/main.js");

if (existsSync(builder) && existsSync(path("../src/main.ts"))) {
  const { build, isStale } = await import(pathToFileURL(builder).href);
  if (!existsSync(built) || isStale()) {
    try {
      await build();
    } catch (error) {
      // Whoever saves half a change wants the command that worked a moment ago.
      if (!existsSync(built)) throw error;
      console.error("The sources do not build; running what was built before.");
    }
  }
}

const { main } = await import(pathToFileURL(built).href);
await main();
