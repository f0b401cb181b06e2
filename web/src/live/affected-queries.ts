import type { ApiKey } from "../api/queries.ts";
import type { EndpointName } from "../api/endpoints.ts";
import type { HeadgateEvent } from "./follow-events.ts";

/** Of which event a route's answer becomes old: of any that names a run, an asset or a location. */
const dependsOn: Readonly<Partial<Record<EndpointName, readonly ("run" | "asset" | "location")[]>>> = {
  getAsset: ["asset", "location"],
  getFacets: ["asset", "location"],
  getGraph: ["asset", "location"],
  getGraphOverview: ["location"],
  getGraphSelection: ["asset", "location"],
  getGraphStatuses: ["asset", "location"],
  getLocation: ["location"],
  getPartitions: ["asset"],
  getRun: ["run"],
  getVersion: ["asset"],
  listAssetChecks: ["asset"],
  listAssets: ["asset", "location"],
  listAudit: ["run", "asset", "location"],
  listChecks: ["asset", "location"],
  listEvaluations: ["asset", "run"],
  listGates: ["asset", "location"],
  listLocations: ["location"],
  listRunEvents: ["run"],
  listRunLogs: ["run"],
  listRuns: ["run"],
  listSteps: ["run"],
  listTeams: ["location"],
  listVersions: ["asset"],
  listWaivers: ["asset"],
  ready: ["location"],
  why: ["asset", "run"],
};

/** Routes that are about the one run whose id they are asked with. Runs by far outnumber what is on the screen. */
const ofOneRun: ReadonlySet<EndpointName> = new Set(["getRun", "listSteps", "listRunEvents", "listRunLogs"]);

/** Tells which answers in the cache these events made old. */
export function affectedQueries(events: readonly HeadgateEvent[]): (key: readonly unknown[]) => boolean {
  const runs = new Set<string>();
  const named = new Set<string>();
  for (const { run, asset, location } of events) {
    if (run !== null) runs.add(run);
    if (run !== null) named.add("run");
    if (asset !== null) named.add("asset");
    if (location !== null) named.add("location");
  }
  return (key) => {
    const [name, request] = key as ApiKey;
    if (dependsOn[name]?.some((what) => named.has(what)) !== true) return false;
    const { params } = request as { readonly params?: { readonly id?: string } };
    return !ofOneRun.has(name) || runs.has(params?.id ?? "");
  };
}
