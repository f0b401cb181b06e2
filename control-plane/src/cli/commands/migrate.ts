import { openDatabase } from "../../storage/database.ts";
import { migrate as applyMigrations, migrationStatus } from "../../storage/migrate.ts";
import { exitStatus } from "../exit-status.ts";
import type { MigrateCommand } from "../process-commands.ts";

/** Applies what is pending, or says what is. */
export async function migrate({ databaseUrl, mode, json }: MigrateCommand): Promise<number> {
  const database = openDatabase(databaseUrl, { max: 1, applicationName: "headgate migrate" });
  try {
    if (mode === "apply") {
      const applied = await applyMigrations(database.pool);
      const names = applied.map(({ number, name }) => ({ number, name }));
      const lines = names.map(({ number, name }) => `applied ${number} ${name}\n`).join("");
      process.stdout.write(
        json ? `${JSON.stringify({ applied: names }, null, 2)}\n` : lines || "The schema is current.\n",
      );
      return exitStatus.succeeded;
    }
    const status = await migrationStatus(database.pool);
    const shown = mode === "status" ? status.migrations : status.migrations.filter(({ state }) => state === "pending");
    const lines = shown.map(
      ({ number, name, state, breaking }) => `${number} ${name}  ${state}${breaking ? ", breaking" : ""}\n`,
    );
    process.stdout.write(
      json
        ? `${JSON.stringify({ schema: status.schema, migrations: shown }, null, 2)}\n`
        : `${lines.join("")}The schema is ${status.schema}.\n`,
    );
    return exitStatus.succeeded;
  } finally {
    await database.close();
  }
}
