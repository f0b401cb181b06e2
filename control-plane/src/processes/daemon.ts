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
  const plane = await ControlPlane.open({ ...options, log });
  const logProblems = (workspace: Workspace) => {
    for (const problem of workspace.problems) log.warn(problem, problem.message);
  };
  try {
    const { setWorkspace } = await plane.startDaemon();
    logProblems(plane.workspace);
    plane.onWorkspaceChange((workspace) => {
      logProblems(workspace);
      setWorkspace(workspace).catch((error: unknown) => log.error({ err: error }, String(error)));
    });
    process.stdout.write("Headgate daemon started\n");
    await signal;
    return 0;
  } finally {
    await plane.close();
  }
}
