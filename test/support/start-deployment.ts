import type { Deployment, DeploymentKind, DeploymentOptions } from "./deployment.ts";
import { DevDeployment } from "./dev-deployment.ts";
import { SplitDeployment } from "./split-deployment.ts";

/** Prepared, not started. */
export function createDeployment(kind: DeploymentKind, options: DeploymentOptions): Promise<Deployment> {
  switch (kind) {
    case "dev":
      return DevDeployment.create(options);
    case "split":
      return SplitDeployment.create(options);
  }
}

/** Started and ready; whatever was started is ended if it does not get that far. */
export async function startDeployment(kind: DeploymentKind, options: DeploymentOptions): Promise<Deployment> {
  const deployment = await createDeployment(kind, options);
  try {
    await deployment.start();
    return deployment;
  } catch (error) {
    await deployment.stop().catch(() => undefined);
    throw error;
  }
}
