import { assetRoutes } from "./asset-routes.ts";
import { backfillRoutes } from "./backfill-routes.ts";
import { decisionRoutes } from "./decision-routes.ts";
import { graphRoutes } from "./graph-routes.ts";
import { gateRoutes } from "./gate-routes.ts";
import { partitionRoutes } from "./partition-routes.ts";
import { queueRoutes } from "./queue-routes.ts";
import { reportRoutes } from "./report-routes.ts";
import { runRoutes } from "./run-routes.ts";
import { scheduleRoutes } from "./schedule-routes.ts";
import { sensorRoutes } from "./sensor-routes.ts";
import { serverRoutes } from "./server-routes.ts";
import { workspaceRoutes } from "./workspace-routes.ts";

/** Every route of the API. The key is the OpenAPI operation id. */
export const routes = {
  ...serverRoutes,
  ...workspaceRoutes,
  ...assetRoutes,
  ...graphRoutes,
  ...runRoutes,
  ...gateRoutes,
  ...decisionRoutes,
  ...reportRoutes,
  ...partitionRoutes,
  ...scheduleRoutes,
  ...queueRoutes,
  ...backfillRoutes,
  ...sensorRoutes,
};

export type Routes = typeof routes;
export type RouteName = keyof Routes;
