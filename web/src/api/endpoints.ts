import type { RouteName, Routes } from "../../../control-plane/src/http/contract.ts";

type Endpoint<N extends RouteName> = `${Routes[N]["method"]} ${Routes[N]["path"]}`;

/** Where each route that the UI asks lies. Only the types of the contract come here, and they check every line. */
export const endpoints = {
  cancelRun: "POST /api/v1/runs/{id}/cancel",
  createRun: "POST /api/v1/runs",
  createWaiver: "POST /api/v1/assets/{key}/versions/{id}/waiver",
  discardVersion: "POST /api/v1/assets/{key}/versions/{id}/discard",
  followEvents: "GET /api/v1/events",
  getAsset: "GET /api/v1/assets/{key}",
  getFacets: "GET /api/v1/facets",
  getGraph: "GET /api/v1/graph",
  getGraphLayout: "GET /api/v1/graph/layouts/{hash}",
  getGraphOverview: "GET /api/v1/graph/overview",
  getGraphSelection: "GET /api/v1/graph/selection",
  getGraphStatuses: "GET /api/v1/graph/statuses",
  getLocation: "GET /api/v1/locations/{name}",
  getPartitions: "GET /api/v1/assets/{key}/partitions",
  getRun: "GET /api/v1/runs/{id}",
  listEvaluations: "GET /api/v1/assets/{key}/evaluations",
  listGates: "GET /api/v1/gates",
  getSystem: "GET /api/v1/system",
  getVersion: "GET /api/v1/assets/{key}/versions/{id}",
  listAssetChecks: "GET /api/v1/assets/{key}/checks",
  listAssets: "GET /api/v1/assets",
  listAudit: "GET /api/v1/audit",
  listChecks: "GET /api/v1/checks",
  listLocations: "GET /api/v1/locations",
  listRunEvents: "GET /api/v1/runs/{id}/events",
  listRunLogs: "GET /api/v1/runs/{id}/logs",
  listRuns: "GET /api/v1/runs",
  listSteps: "GET /api/v1/runs/{id}/steps",
  listTeams: "GET /api/v1/teams",
  listVersions: "GET /api/v1/assets/{key}/versions",
  listWaivers: "GET /api/v1/waivers",
  plan: "POST /api/v1/plan",
  ready: "GET /readyz",
  reloadLocation: "POST /api/v1/locations/{name}/reload",
  restoreVersion: "POST /api/v1/assets/{key}/versions/{id}/restore",
  retryRun: "POST /api/v1/runs/{id}/retry",
  revokeWaiver: "DELETE /api/v1/assets/{key}/versions/{id}/waiver",
  runChecks: "POST /api/v1/checks/run",
  why: "GET /api/v1/why/{key}",
} as const satisfies { readonly [N in RouteName]?: Endpoint<N> };

export type EndpointName = keyof typeof endpoints;
