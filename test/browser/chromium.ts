import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const places = [
  process.env["HEADGATE_TEST_CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Where a Chromium of this machine is; undefined, and a line that says how to get one, where there is none. */
export function chromiumPath(): string | undefined {
  const found = places.find((path) => path !== undefined && existsSync(path));
  if (found === undefined) {
    console.warn("skipped: tests of the web UI (no Chromium; apt-get install chromium, or set HEADGATE_TEST_CHROMIUM)");
  }
  return found;
}

export function launchChromium(executablePath: string): Promise<Browser> {
  // As root, as in containers, Chromium's own sandbox cannot be set up.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}
