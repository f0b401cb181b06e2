import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { openDatabase } from "../../storage/database.ts";
import { DataDirLockedError, startEmbeddedPostgres } from "../../storage/embedded-postgres.ts";
import { migrationStatus } from "../../storage/migrate.ts";
import { postgresAccount } from "../../storage/postgres-account.ts";
import { postgresBinaries } from "../../storage/postgres-binaries.ts";
import { openCluster, superuser } from "../../storage/postgres-cluster.ts";
import { findServer } from "../../storage/postgres-server.ts";
import {
  type HistorySize,
  type Violation,
  historySize,
  verifiedRules,
  verify as verifyHistory,
} from "../../storage/verify.ts";
import { CliError } from "../cli-error.ts";
import { exitStatus } from "../exit-status.ts";
import type { VerifyCommand } from "../process-commands.ts";

/** Recomputes every invariant from the history. Status 0: all hold; 1: the first violation of each is named. */
export async function verify({ databaseUrl, dataDir, json }: VerifyCommand): Promise<number> {
  return withUrl(databaseUrl, dataDir, async (url) => {
    const database = openDatabase(url, {
      max: 1,
      applicationName: "headgate verify",
      answerGraceMs: 0,
      statementTimeoutMs: 0,
    });
    try {
      const { schema } = await migrationStatus(database.pool);
      if (schema !== "current") {
        const hint = "headgate migrate --status shows what is missing. Use the version of Headgate that runs on it.";
        throw new CliError("verify.schema", `The schema of this database is ${schema}.`, hint);
      }
      const violations = await verifyHistory(database.pool);
      const size = await historySize(database.pool);
      const rules = verifiedRules.map(({ id, invariant, says }) => ({ id, invariant, says }));
      process.stdout.write(json ? `${JSON.stringify({ violations, size, rules }, null, 2)}\n` : text(violations, size));
      return violations.length === 0 ? exitStatus.succeeded : exitStatus.failed;
    } finally {
      await database.close();
    }
  });
}

function text(violations: readonly Violation[], { runs, attempts, versions, events }: HistorySize): string {
  const size = `${runs} runs, ${attempts} attempts, ${versions} versions, ${events} events`;
  if (violations.length === 0) return `All ${verifiedRules.length} rules hold: ${size}.\n`;
  const lines = [`${violations.length} of ${verifiedRules.length} rules are broken: ${size}.`];
  for (const { rule, invariant, rules, found, count } of violations) {
    const more = count > 1 ? ` (the first of ${count})` : "";
    lines.push("", `${invariant}: ${rules}`, `  ${rule}${more}: ${found}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The database that is named, or that of a data folder: as it runs, or started for as long as it is needed. */
async function withUrl<T>(named: string | undefined, dataDir: string, work: (url: string) => Promise<T>): Promise<T> {
  if (named !== undefined) return work(named);
  const home = join(resolve(dataDir), "postgres");
  if (!existsSync(home)) {
    const hint = "Set HEADGATE_DATABASE_URL, or name the folder of `headgate dev` with --data-dir.";
    throw new CliError("verify.no_database", `There is no database in ${resolve(dataDir)}.`, hint);
  }
  try {
    const embedded = await startEmbeddedPostgres({ dataDir });
    try {
      return await work(embedded.url);
    } finally {
      await (embedded.adopted ? embedded.leave() : embedded.stop());
    }
  } catch (error) {
    if (!(error instanceof DataDirLockedError)) throw error;
    return work(await runningUrl(home, error));
  }
}

/** Of the server that another process has started and watches over. */
async function runningUrl(home: string, locked: DataDirLockedError): Promise<string> {
  const account = postgresAccount();
  const cluster = await openCluster(home, account, await postgresBinaries(account));
  const server = await findServer(cluster);
  if (server === undefined) throw locked;
  return `postgres://${superuser}:${cluster.password}@127.0.0.1:${String(server.port)}/headgate`;
}
