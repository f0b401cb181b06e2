import type { CheckResult } from "../asset-check.ts";
import type { AnyAsset } from "../asset.ts";
import { StepFailure } from "./step-failure.ts";

/**
 * What a check returned, or compute reported, as a result.
 *
 * @throws StepFailure `check.result_invalid`
 */
export function checkResult(given: unknown, what: string): CheckResult {
  if (typeof given === "boolean") return { passed: given };
  if (typeof (given as CheckResult | undefined)?.passed === "boolean") return given as CheckResult;
  throw new StepFailure(
    "check.result_invalid",
    `${what} neither a boolean nor { passed: boolean, ... }.`,
    "Give true or false, or an object with `passed`.",
  );
}

/** @throws StepFailure `step.check_undeclared` */
export function declaredCheck(asset: Pick<AnyAsset, "key" | "checks">, name: string) {
  const checks = asset.checks ?? {};
  const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
  if (check !== undefined) return check;
  const names = Object.keys(checks);
  throw new StepFailure(
    "step.check_undeclared",
    `Compute of ${asset.key} reports the check "${name}", which it does not declare.`,
    names.length === 0
      ? `Declare it among the checks of ${asset.key}: { ${name}: { blocking: true } }.`
      : `It declares ${names.join(", ")}.`,
  );
}

export function notReported(assetKey: string, name: string): StepFailure {
  return new StepFailure(
    "check.not_reported",
    `Compute of ${assetKey} returned without a verdict of the check "${name}", which the asset declares.`,
    `Report it on every way through compute: check("${name}", true or false).`,
  );
}
