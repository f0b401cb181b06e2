import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A copy of the repository's two teams that a test may edit. */
export class ExampleTeams {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "headgate-teams-")));

  constructor() {
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"));
    const filter = (source: string) => basename(source) !== "node_modules";
    cpSync(join(root, "code-locations"), join(this.folder, "code-locations"), { recursive: true, filter });
  }

  module(team: string): string {
    return join(this.folder, "code-locations", team);
  }

  /**
   * Saves a file with a part of its text replaced; what is returned saves it as it was. Fails if the part is not there
   * exactly once.
   */
  replace(file: string, part: string, by: string): () => void {
    const path = join(this.folder, "code-locations", file);
    const text = readFileSync(path, "utf8");
    if (text.split(part).length !== 2) throw new Error(`${file} does not hold this once: ${part}`);
    writeFileSync(path, text.replace(part, by));
    return () => writeFileSync(path, text);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
