import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ProcessIdentity } from "../processes/process-identity.ts";
import { takeProcessLock } from "../processes/process-lock.ts";
import { asSuperuser } from "./as-superuser.ts";
import { KeptPostgres } from "./kept-postgres.ts";
import { openLocationDatabase } from "./location-database.ts";
import { postgresAccount } from "./postgres-account.ts";
import { postgresBinaries } from "./postgres-binaries.ts";
import { openCluster, superuser } from "./postgres-cluster.ts";
import { findServer, launchServer, type PostgresServer, stopServer } from "./postgres-server.ts";
import { StorageError } from "./storage-error.ts";

export interface EmbeddedPostgresOptions {
  readonly dataDir: string;
  /** Asked for by name: it must be free, unless a server that is adopted has another. Default: any free one. */
  readonly port?: number;
  /** Further settings of the server, `name=value`. */
  readonly settings?: readonly string[];
  /**
   * Given, a server that ends though nobody asked it to is started again, at the same port; and this is told, with an
   * error where that failed: it is tried again.
   */
  readonly restarted?: (error: unknown) => void;
}

export interface EmbeddedPostgres {
  /** With the password: not for logs. */
  readonly url: string;
  readonly port: number;
  /** Of the server's first process. */
  readonly pid: number;
  /** True if the server was running already, left by a process that died. */
  readonly adopted: boolean;
  /**
   * The URL, with its password, of a database of a location's own, made on first use: `openLocationDatabase`.
   */
  locationDatabase(locationName: string): Promise<string>;
  /** Ends the server once its transactions are rolled back and its memory is on disk, and gives up the data folder. */
  stop(): Promise<void>;
  /** Gives up the data folder and leaves the server running, for the next start to adopt. */
  leave(): Promise<void>;
}

/** Another live process has this data folder. Code `dev.data_dir_in_use`. */
export class DataDirLockedError extends StorageError {
  override readonly name = "DataDirLockedError";
  readonly pid: number;

  constructor(dataDir: string, holder: ProcessIdentity) {
    super("dev.data_dir_in_use", `the data folder ${dataDir} is in use by process ${String(holder.pid)}`);
    this.pid = holder.pid;
  }
}

const databaseName = "headgate";

/**
 * A Postgres of one's own in a data folder: made on first use, on loopback only, behind a password, durable. It runs
 * detached, so a kill of this process leaves it running, and the next start adopts it.
 *
 * Throws `DataDirLockedError`, and `StorageError` with a code `postgres.*` where there is no server to be had.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const lock = await takeProcessLock(join(dataDir, "lock"));
  if ("heldBy" in lock) throw new DataDirLockedError(dataDir, lock.heldBy);
  try {
    const account = postgresAccount();
    const binaries = await postgresBinaries(account);
    const cluster = await openCluster(join(dataDir, "postgres"), account, binaries);
    const found = await findServer(cluster);
    const server = found ?? (await launchServer(cluster, binaries, options));
    const url = (database: string) =>
      `postgres://${superuser}:${cluster.password}@127.0.0.1:${String(server.port)}/${database}`;
    // Asked again as long as it was not seen to be there: a process may die between making the cluster and this.
    await createDatabase(url("postgres"));
    const { settings = [], restarted } = options;
    const launch = (port: number) => launchServer(cluster, binaries, { port, settings });
    const kept = restarted === undefined ? undefined : new KeptPostgres(server, { launch, restarted });
    const current = async () => (await kept?.release()) ?? server;
    return {
      url: url(databaseName),
      port: server.port,
      get pid() {
        return (kept?.server ?? server).identity.pid;
      },
      adopted: found !== undefined,
      locationDatabase: (locationName) =>
        openLocationDatabase(cluster.home, url("postgres"), databaseName, locationName),
      stop: async () => stopAndRelease(await current(), () => lock.release()),
      leave: async () => {
        await current();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function stopAndRelease(server: PostgresServer, release: () => Promise<void>): Promise<void> {
  try {
    await stopServer(server);
  } finally {
    await release();
  }
}

function createDatabase(url: string): Promise<void> {
  return asSuperuser(url, async (client) => {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [databaseName]);
    if (rowCount === 0) await client.query(`create database ${databaseName}`);
  });
}
