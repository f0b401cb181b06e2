import type { CheckDefinition } from "@headgate/proto";
import { cleanText, parseAssetKey } from "@headgate/model";
import type { AnyAssetCheck } from "../asset-check.ts";
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
  if (typeof check.name !== "string" || !checkName.test(check.name)) {
    throw new DefinitionProblem(
      "definition.check_name_invalid",
      `${describeValue(check.name)} is not the name of a check of ${check.asset.key}.`,
      "A name is at most 63 of a-z, 0-9, _ and -, starting with a letter or digit.",
    );
  }
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
  };
}
