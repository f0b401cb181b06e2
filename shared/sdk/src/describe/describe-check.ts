import type { CheckDefinition } from "@headgate/proto";
import { CheckReporter } from "@headgate/proto";
import { cleanText, parseAssetKey } from "@headgate/model";
import type { AnyAssetCheck } from "../asset-check.ts";
import type { AnyAssetChecks } from "../asset-checks.ts";
import type { ComputedCheck } from "../reported-checks.ts";
import type { FieldRule } from "./fields.ts";
import {
  anything,
  callable,
  checkFields,
  describeValue,
  flag,
  milliseconds,
  oneOf,
  record,
  refuseFailedModule,
  text,
  wholeNumber,
} from "./fields.ts";
import { DefinitionProblem } from "./problem.ts";

const checkName = /^[a-z0-9][a-z0-9_-]{0,62}$/;

const checkFieldRules: Readonly<Record<string, FieldRule>> = {
  kind: anything,
  asset: record,
  name: text,
  description: text,
  blocking: flag,
  version: wholeNumber(1, 2_147_483_647),
  appliesTo: oneOf("newVersions"),
  severity: oneOf("WARN", "ERROR"),
  timeoutMs: milliseconds,
  resources: record,
  run: callable,
  group: {
    is: (value) => (value as { kind?: unknown } | null)?.kind === "assetChecks",
    words: "left to assetChecks({ ... })",
  },
};

/**
 * A check as it goes into the manifest.
 *
 * @throws DefinitionProblem
 */
export function describeCheck(check: AnyAssetCheck): CheckDefinition {
  const what = `check ${describeValue(check.name)}`;
  refuseFailedModule(`The asset of ${what}`, check.asset);
  if (typeof check.asset?.key !== "string" || !parseAssetKey(check.asset.key)) {
    throw new DefinitionProblem(
      "definition.check_without_asset",
      `The asset of ${what} is ${describeValue(check.asset)}${check.asset ? ` with the key ${describeValue(check.asset.key)}` : ""}.`,
      "Import the asset or its spec; if it is imported, an import cycle is the usual reason.",
    );
  }
  checkFields(`${what} of ${check.asset.key}`, check, checkFieldRules);
  checkNamed(check.name, check.asset.key);
  if (typeof check.run !== "function") {
    throw new DefinitionProblem(
      "definition.invalid",
      `${what} of ${check.asset.key} has no run function.`,
      "Give it `run`.",
    );
  }
  return {
    assetKey: check.asset.key,
    name: check.name,
    description: cleanText(check.description ?? ""),
    blocking: check.blocking ?? false,
    version: check.version ?? 1,
    newVersionsOnly: check.appliesTo === "newVersions",
    timeoutMs: check.timeoutMs ?? 0,
    source: undefined,
    reportedBy: CheckReporter.CHECK_REPORTER_UNSPECIFIED,
  };
}

/**
 * Holds a group of checks against its rules; each of them is described by itself.
 *
 * @throws DefinitionProblem
 */
export function checkGroup(group: AnyAssetChecks): void {
  const key = (group.asset as AnyAssetChecks["asset"] | undefined)?.key;
  const what = typeof key === "string" ? `the group of checks of ${key}` : "a group of checks";
  refuseFailedModule(`The asset of ${what}`, group.asset);
  const { kind, asset, timeoutMs, resources, run } = checkFieldRules;
  checkFields(what, group, { kind, asset, timeoutMs, resources, run, checks: record } as Readonly<
    Record<string, FieldRule>
  >);
  const checks = group.checks as AnyAssetChecks["checks"] | undefined;
  if (checks === undefined || Object.keys(checks).length === 0) {
    throw new DefinitionProblem(
      "definition.invalid",
      `${what} declares no checks.`,
      "Name them: checks: { not_empty: { blocking: true } }.",
    );
  }
  const wrong = Object.keys(checks).find((name) => !record.is(checks[name]));
  if (wrong === undefined) return;
  throw new DefinitionProblem(
    "definition.invalid",
    `"${wrong}" in "checks" of ${what} is ${describeValue(checks[wrong])} and not an object.`,
    `Write ${wrong}: { blocking: true }.`,
  );
}

const reporters = { compute: CheckReporter.CHECK_REPORTER_COMPUTE, api: CheckReporter.CHECK_REPORTER_API } as const;

/**
 * A check that is declared with its asset, and whose verdict compute or the API reports.
 *
 * @throws DefinitionProblem
 */
export function describeReportedCheck(
  assetKey: string,
  name: string,
  check: ComputedCheck,
  reporter: keyof typeof reporters,
): CheckDefinition {
  const { description, blocking, version, appliesTo, severity } = checkFieldRules;
  const rules = { description, blocking, version, appliesTo, ...(reporter === "compute" ? { severity } : {}) };
  checkNamed(name, assetKey);
  const what = `check "${name}" of ${assetKey}`;
  refuseFailedModule(what, check);
  if (!record.is(check)) {
    throw new DefinitionProblem(
      "definition.invalid",
      `${what} is ${describeValue(check)} and not an object.`,
      `Write ${name}: { blocking: true }.`,
    );
  }
  checkFields(what, check, rules as Readonly<Record<string, FieldRule>>);
  return {
    assetKey,
    name,
    description: cleanText(check.description ?? ""),
    blocking: check.blocking ?? false,
    version: check.version ?? 1,
    newVersionsOnly: check.appliesTo === "newVersions",
    timeoutMs: 0,
    source: undefined,
    reportedBy: reporters[reporter],
  };
}

function checkNamed(name: unknown, assetKey: string): void {
  if (typeof name === "string" && checkName.test(name)) return;
  throw new DefinitionProblem(
    "definition.check_name_invalid",
    `${describeValue(name)} is not the name of a check of ${assetKey}.`,
    "A name is at most 63 of a-z, 0-9, _ and -, starting with a letter or digit.",
  );
}
