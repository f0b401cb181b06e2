import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.ts";

/** What a step wrote down outside the database when it began, ended or was told to stop. */
export interface LedgerEntry {
  readonly what: "start" | "end" | "aborted";
  readonly asset: string;
  readonly partition: string;
  readonly version: string;
  readonly run: string;
  readonly attempt: number;
  readonly pid: number;
}

/**
 * Side effects of user code, kept outside the database, and the doors that its slow steps wait at: test/e2e/locations/
 * ledger.ts writes the one and waits at the other. One attempt makes one version, so that a version that started twice
 * is an attempt that started twice.
 */
export class Ledger {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "headgate-ledger-")));

  constructor() {
    mkdirSync(join(this.folder, "doors"));
  }

  /** For the environment of the locations. */
  get env(): Record<string, string> {
    return { LEDGER: this.folder };
  }

  entries(filter: Partial<LedgerEntry> = {}): LedgerEntry[] {
    let text = "";
    try {
      text = readFileSync(join(this.folder, "ledger.jsonl"), "utf8");
    } catch {
      return [];
    }
    const all = text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LedgerEntry);
    const wanted = Object.entries(filter);
    return all.filter((entry) => wanted.every(([name, value]) => entry[name as keyof LedgerEntry] === value));
  }

  /** Resolves with the `count`th entry that fits. */
  until(filter: Partial<LedgerEntry>, count = 1, withinMs = 30_000): Promise<LedgerEntry> {
    const what = `${count} ledger entries with ${JSON.stringify(filter)}`;
    return until(what, () => this.entries(filter)[count - 1], withinMs);
  }

  /** Lets every step of that name which waits, or will wait, go on. */
  open(door: string): void {
    writeFileSync(join(this.folder, "doors", door), "");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Versions that began to be computed more than once. */
  doubleStarts(): string[] {
    const seen = new Set<string>();
    return this.entries({ what: "start" }).flatMap(({ version }) => {
      if (seen.has(version)) return [version];
      seen.add(version);
      return [];
    });
  }
}
