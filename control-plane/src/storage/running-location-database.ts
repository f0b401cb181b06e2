import { openLocationDatabase } from "./location-database.ts";
import { postgresAccount } from "./postgres-account.ts";
import { postgresBinaries } from "./postgres-binaries.ts";
import { openCluster } from "./postgres-cluster.ts";
import { findServer } from "./postgres-server.ts";

/**
 * The URL of a location's own database on the embedded server that another process runs; undefined while none runs.
 * `home` is the cluster's folder.
 */
export async function runningLocationDatabase(home: string, locationName: string): Promise<string | undefined> {
  const account = postgresAccount();
  const cluster = await openCluster(home, account, await postgresBinaries(account));
  const server = await findServer(cluster);
  return server && (await openLocationDatabase(cluster, server.port, "headgate", locationName));
}
