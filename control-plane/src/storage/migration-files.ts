import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { StorageError } from "./storage-error.ts";

export interface MigrationFile {
  readonly number: number;
  /** The part of the file's name between number and ending: "init". */
  readonly name: string;
  readonly file: string;
  readonly sql: string;
  /** SHA-256 in hex, over the text with line feeds only: a checkout on Windows has the same. */
  readonly checksum: string;
  /** A control plane that does not know this migration cannot work on a database that has it. */
  readonly breaking: boolean;
}

const fileName = /^(\d{6})_([a-z0-9_]+)\.sql$/;

/** The package's `migrations` folder, found from the sources and from the bundle in `dist/` alike. */
export function migrationsFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = join(folder, "migrations");
    if (existsSync(candidate) && existsSync(join(folder, "package.json"))) return candidate;
    const parent = dirname(folder);
    if (parent === folder) {
      throw new StorageError(
        "schema.invalid_migration",
        `no migrations folder above ${fileURLToPath(import.meta.url)}`,
        {
          hint: "install Headgate again: the package is incomplete",
        },
      );
    }
    folder = parent;
  }
}

/** Every migration in order. Throws `schema.invalid_migration` for a name of another form, a gap or a duplicate. */
export async function readMigrationFiles(folder: string = migrationsFolder()): Promise<MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const migrations: MigrationFile[] = [];
  for (const file of names) {
    const match = fileName.exec(file);
    const number = Number(match?.[1]);
    const expected = migrations.length + 1;
    if (match?.[2] === undefined || number !== expected) {
      throw new StorageError(
        "schema.invalid_migration",
        `${join(folder, file)}: expected migration number ${String(expected).padStart(6, "0")} here`,
      );
    }
    const sql = (await readFile(join(folder, file), "utf8")).replaceAll("\r\n", "\n");
    const checksum = createHash("sha256").update(sql).digest("hex");
    migrations.push({ number, name: match[2], file, sql, checksum, breaking: /^-- breaking\b/.test(sql) });
  }
  return migrations;
}
