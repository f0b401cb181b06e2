import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Tests that compute and no more: no database, no server. `npm test -- --project unit` runs them in seconds. */
const unit = ["test/{model,layout,domain,sdk,types,web}/**/*.test.ts", "code-locations/*/test/**/*.test.ts"];
/** Tests of the whole product as its users run it. */
const endToEnd = ["test/{e2e,docs,browser}/**/*.test.ts"];
/** Everything else under `test/`, so that no new folder is left out by mistake. */
const all = ["test/**/*.test.ts"];

const excluded = [...configDefaults.exclude, "**/dist/**", "test/bench/**", "test/arrows/canary/**"];

/** A file to write a report to that machines read, beside what people read. */
const reportFile = process.env["HEADGATE_TEST_REPORT"];

export default defineConfig({
  root,
  resolve: {
    // Tests import the packages by name and get the TypeScript sources. Processes that tests start run from `dist`.
    alias: [
      { find: /^@headgate\/model$/, replacement: source("shared/model/src/index.ts") },
      { find: /^@headgate\/layout$/, replacement: source("shared/layout/src/index.ts") },
      { find: /^@headgate\/proto$/, replacement: source("proto/index.ts") },
      { find: /^@headgate\/connections$/, replacement: source("shared/connections/src/index.ts") },
      { find: /^@headgate\/sdk$/, replacement: source("shared/sdk/src/index.ts") },
      { find: /^@headgate\/sdk\/(serve|testing|worker)$/, replacement: source("shared/sdk/src/$1.ts") },
    ],
  },
  test: {
    environment: "node",
    pool: "forks",
    maxWorkers: 2,
    passWithNoTests: false,
    reporters: reportFile === undefined ? ["default"] : ["default", ["json", { outputFile: reportFile }]],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: unit,
          exclude: excluded,
          globalSetup: ["test/support/global-setup.ts"],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: all,
          exclude: [...excluded, ...unit, ...endToEnd],
          globalSetup: ["test/support/global-setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: endToEnd,
          exclude: excluded,
          globalSetup: ["test/support/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
