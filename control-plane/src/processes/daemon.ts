import { refuseOldSchema } from "./api.ts";
import { ControlPlane, processLog } from "./control-plane.ts";
import { shutdownSignal } from "./shutdown.ts";
import type { Workspace } from "../workspace/workspace.ts";

export interface DaemonProcessOptions {
  readonly databaseUrl: string;
  readonly workspace: string;
}

/** The loops as a process of its own; several share the work. Migrates nothing. */
export async function daemon(options: DaemonProcessOptions): Promise<number> {
  const signal = shutdownSignal();
  await refuseOldSchema(options.databaseUrl);
  const log = processLog("info");
  let applyWorkspace: ((workspace: Workspace) => Promise<void>) | undefined;
  const plane = await ControlPlane.open({
    ...options,
    log,
    workspaceChanged: (workspace) => {
      for (const problem of workspace.problems) log.warn(problem, problem.message);
      applyWorkspace?.(workspace).catch((error: unknown) => log.error({ err: error }, String(error)));
    },
  });
  try {
    const { setWorkspace } = await plane.startDaemon();
    applyWorkspace = async (workspace) => void (await setWorkspace(workspace));
    process.stdout.write("Headgate daemon started\n");
    await signal;
    return 0;
  } finally {
    await plane.close();
  }
}
