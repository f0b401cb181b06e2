import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));

/** A code location on disk that a test writes and edits. */
export class LocationFolder {
  readonly path: string;

  constructor(files: Readonly<Record<string, string>>) {
    this.path = realpathSync(mkdtempSync(join(tmpdir(), "headgate-location-")));
    symlinkSync(packages, join(this.path, "node_modules"));
    mkdirSync(join(this.path, "values"));
    this.write({ "io.ts": io, ...files });
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.path, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** JSON files in the location's folder: a real IO manager, small enough to read at a glance. */
const io = `
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { ioManager } from "@headgate/sdk";

export const json = ioManager({
  schemes: ["file"],
  write: async (value, { versionId }) => {
    const text = JSON.stringify(value);
    const place = process.env.HEADGATE_TEST_VALUES + "/" + versionId + ".json";
    await writeFile(place, text);
    return {
      scheme: "file",
      place,
      mediaType: "application/json",
      digest: "sha256:" + createHash("sha256").update(text).digest("hex"),
      sizeBytes: text.length,
    };
  },
  read: async ({ place }) => JSON.parse(await readFile(place, "utf8")),
});
`;
