import type { ApiToken } from "../http/tokens.ts";
import { assertSchemaCurrent } from "../storage/migrate.ts";
import { openDatabase } from "../storage/database.ts";
import { ControlPlane, processLog } from "./control-plane.ts";
import { isLoopback, listen } from "./listen.ts";
import { shutdownSignal } from "./shutdown.ts";

export interface ApiOptions {
  readonly databaseUrl: string;
  readonly workspace: string;
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly ApiToken[] | undefined;
  /** Names, beside its own, under which a server on loopback may be addressed. */
  readonly hosts: readonly string[];
}

export class TokensNeededError extends Error {
  override readonly name = "TokensNeededError";
  readonly code = "api.tokens_needed";
  readonly hint = "Set HEADGATE_TOKENS (name:sha256hex, with commas), or bind a loopback address.";
}

/** The HTTP API as a process of its own; any number of them. Migrates nothing. */
export async function api(options: ApiOptions): Promise<number> {
  if (options.tokens === undefined && !isLoopback(options.host)) {
    throw new TokensNeededError(`${options.host} can be reached from other machines, and no token is asked for`);
  }
  const signal = shutdownSignal();
  await refuseOldSchema(options.databaseUrl);
  const plane = await ControlPlane.open({ ...options, log: processLog("info") });
  try {
    const { app } = await plane.createApi(options.tokens, options.hosts);
    const port = await listen(app, options.host, options.port, true);
    process.stdout.write(`Headgate API at http://${options.host}:${port}\n`);
    await signal;
    return 0;
  } finally {
    await plane.close();
  }
}

/** @throws StorageError `schema.outdated` or `schema.newer` */
export async function refuseOldSchema(databaseUrl: string): Promise<void> {
  const database = openDatabase(databaseUrl, { max: 1 });
  await assertSchemaCurrent(database.pool).finally(() => database.close());
}
