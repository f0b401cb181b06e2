import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { query } from "../api/queries.ts";
import { Shell } from "../shell/shell.tsx";
import { NotFound, PageFailure } from "./page-failure.tsx";
import { assetSearch, graphSearch, launchSearch, runSearch, runsSearch, selectionSearch } from "./search.ts";

const root = createRootRouteWithContext<{ readonly client: QueryClient }>()({ component: Shell });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("../pages/home/home-page.tsx"), "HomePage"),
});

const graph = createRoute({
  getParentRoute: () => root,
  path: "/graph",
  validateSearch: graphSearch,
  // Boxes of teams are the first thing that is drawn: they are asked for while the page itself still loads.
  loader: ({ context }) => void context.client.prefetchQuery(query("getGraphOverview", {})),
  component: lazyRouteComponent(() => import("../graph/graph-page.tsx"), "GraphPage"),
});

const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  validateSearch: runsSearch,
  component: lazyRouteComponent(() => import("../pages/runs/runs-page.tsx"), "RunsPage"),
});

const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$id",
  validateSearch: runSearch,
  component: lazyRouteComponent(() => import("../pages/run/run-page.tsx"), "RunPage"),
});

const assets = createRoute({
  getParentRoute: () => root,
  path: "/assets",
  validateSearch: selectionSearch,
  component: lazyRouteComponent(() => import("../pages/assets/assets-page.tsx"), "AssetsPage"),
});

const asset = createRoute({
  getParentRoute: () => root,
  path: "/assets/$key",
  validateSearch: assetSearch,
  component: lazyRouteComponent(() => import("../pages/asset/asset-page.tsx"), "AssetPage"),
});

const launch = createRoute({
  getParentRoute: () => root,
  path: "/launch",
  validateSearch: launchSearch,
  component: lazyRouteComponent(() => import("../pages/launch/launch-page.tsx"), "LaunchPage"),
});

const checks = createRoute({
  getParentRoute: () => root,
  path: "/checks",
  validateSearch: selectionSearch,
  component: lazyRouteComponent(() => import("../pages/checks/checks-page.tsx"), "ChecksPage"),
});

const teams = createRoute({
  getParentRoute: () => root,
  path: "/teams",
  component: lazyRouteComponent(() => import("../pages/teams/teams-page.tsx"), "TeamsPage"),
});

const team = createRoute({
  getParentRoute: () => root,
  path: "/teams/$team",
  component: lazyRouteComponent(() => import("../pages/teams/team-page.tsx"), "TeamPage"),
});

const system = createRoute({
  getParentRoute: () => root,
  path: "/system",
  component: lazyRouteComponent(() => import("../pages/system/system-page.tsx"), "SystemPage"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("../pages/settings/settings-page.tsx"), "SettingsPage"),
});

const routeTree = root.addChildren([
  home,
  graph,
  runs,
  run,
  assets,
  asset,
  checks,
  launch,
  teams,
  team,
  system,
  settings,
]);

export function createAppRouter(client: QueryClient) {
  return createRouter({
    routeTree,
    context: { client },
    defaultPreload: "intent",
    defaultErrorComponent: PageFailure,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
