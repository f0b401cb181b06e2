import { resolve } from "node:path";
import type { Daemon } from "../daemons/daemon.ts";
import type { LocationSync } from "../daemons/location-sync.ts";
import { LocationDatabases } from "../launchers/location-databases.ts";
import { objectStoreIn } from "../launchers/location-environment.ts";
import { type LocationSupervisor, superviseLocations } from "../launchers/location-supervisor.ts";
import type { Save } from "../launchers/location-process.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../storage/embedded-postgres.ts";
import { openDatabase } from "../storage/database.ts";
import { migrate } from "../storage/migrate.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { ControlPlane, processLog } from "./control-plane.ts";
import { reportEvents, unchangedLine } from "./dev-report.ts";
import { listen } from "./listen.ts";
import { runOnce } from "./run-once.ts";
import { shutdownSignal } from "./shutdown.ts";

export interface DevOptions {
  readonly workspace: string;
  readonly port: number;
  /** The port was asked for by name: another one will not do. */
  readonly portAsked: boolean;
  readonly dataDir: string;
  readonly once: boolean;
  /** Node and headgate's own file, to start `serve` with. */
  readonly command: readonly string[];
}

/**
 * Everything in one process tree: embedded Postgres, control plane, supervised locations. Returns the exit status.
 */
export async function dev(options: DevOptions): Promise<number> {
  const log = processLog("warn");
  const dataDir = resolve(options.dataDir);
  const signal = shutdownSignal();
  const postgres = await startEmbeddedPostgres({
    dataDir,
    restarted: (error) => {
      log.warn(
        { err: error },
        error === undefined ? "Postgres was started again" : "Postgres could not be started again",
      );
    },
  });
  let plane: ControlPlane | undefined;
  const reporting = new AbortController();
  let stopLocations = async (): Promise<void> => undefined;
  try {
    const setup = openDatabase(postgres.url, { max: 2 });
    await migrate(setup.pool).finally(() => setup.close());
    plane = await ControlPlane.open({ databaseUrl: postgres.url, workspace: options.workspace, log });
    const failed = (error: unknown) => log.error({ err: error }, error instanceof Error ? error.message : "failed");
    const { daemon, sync, setWorkspace } = await plane.startDaemon({
      firesSchedules: !options.once,
      evaluatesSensors: !options.once,
    });
    const { onSave, takeSave } = noticedSaves();
    const locations = superviseIn(dataDir, options.command, postgres, { daemon, sync, failed, onSave });
    stopLocations = async () => {
      await sync.close(); // It would take their ends for failures.
      await locations.stop();
    };
    const applyWorkspace = async (workspace: Workspace) => {
      printProblems(workspace);
      const entries = await setWorkspace(workspace);
      await locations.apply(entries.filter((entry) => entry.kind === "module"));
    };
    plane.onWorkspaceChange((workspace) => void applyWorkspace(workspace).catch(failed));
    const { app, events } = await plane.createApi(undefined, []);
    const port = await listen(app, "127.0.0.1", options.port, options.portAsked);
    const url = `http://127.0.0.1:${port}`;
    if (options.port !== 0 && port !== options.port)
      process.stdout.write(`Port ${options.port} is in use; took ${port}.\n`);
    process.stdout.write(`Headgate is at ${url}\n`);
    const { mirror } = plane;
    const after = await events.newest();
    const applied = applyWorkspace(plane.workspace);
    applied.catch(failed);
    if (!options.once) {
      const loaded = applied.then(() => sync.ready());
      // The graph is asked for anew: it may not have seen yet what an event speaks of.
      const graph = () => mirror.refresh();
      const report = reportEvents(events, { after, graph, loaded, takeSave, signal: reporting.signal });
      report.catch(failed);
    }
    if (!options.once) {
      await signal;
      process.stdout.write("Stopping.\n");
      return 0;
    }
    await applied;
    return await Promise.race([runOnce(plane, daemon, sync), signal.then(() => 4)]);
  } finally {
    reporting.abort();
    // Locations first: their ends are recorded while there is somebody to record them.
    await stopLocations();
    await plane?.close();
    await postgres.stop();
  }
}

/** When each location was saved, until its new definitions are told; a save that changes none is told here. */
function noticedSaves() {
  const saves = new Map<string, number>();
  return {
    onSave: (location: string, { kind, savedAtMs }: Save): void => {
      if (kind === "saved") saves.set(location, savedAtMs);
      else if (saves.delete(location)) process.stdout.write(`${unchangedLine(location, Date.now() - savedAtMs)}\n`);
    },
    takeSave: (location: string): number | undefined => {
      const savedAtMs = saves.get(location);
      saves.delete(location);
      return savedAtMs;
    },
  };
}

/** Runs the modules of the workspace, each with an object store and, where its entry asks for one, a database. */
function superviseIn(
  dataDir: string,
  command: readonly string[],
  postgres: EmbeddedPostgres,
  plane: {
    daemon: Daemon;
    sync: LocationSync;
    failed: (error: unknown) => void;
    onSave: (location: string, save: Save) => void;
  },
): LocationSupervisor {
  const { daemon, sync, failed, onSave } = plane;
  const databases = new LocationDatabases({
    open: (locationName) => postgres.locationDatabase(locationName),
    env: process.env,
    failed: (_locationName, error) => failed(error),
  });
  const objectStore = objectStoreIn(dataDir);
  const supervisor = superviseLocations({
    dataDir,
    command,
    provided: (entry) => ({ ...objectStore, ...databases.variablesOf(entry) }),
    onSave,
    onListening: ({ locationName, address }) => sync.addressChanged(locationName, address),
    onExit: ({ locationName, instanceId }) => {
      if (instanceId !== undefined) daemon.drive.contact.instanceExited(locationName, instanceId);
    },
  });
  return {
    apply: async (entries) => {
      await databases.prepare(entries);
      await supervisor.apply(entries);
    },
    stop: () => supervisor.stop(),
  };
}

function printProblems(workspace: Workspace): void {
  for (const { file, line, column, message, hint } of workspace.problems) {
    process.stderr.write(`${file}:${line}:${column}: ${message}\n  ${hint}\n`);
  }
}
