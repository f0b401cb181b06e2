import type { AnyAssetCheck } from "../asset-check.ts";
import type { AnyAssetChecks, GroupMember } from "../asset-checks.ts";
import type { CheckResult } from "../check-result.ts";
import { checkResult } from "./check-result.ts";
import { StepFailure } from "./step-failure.ts";

/** Calls of groups for one version: a group is asked once, by whichever of its checks comes first. */
export type GroupCalls = Map<AnyAssetChecks, Promise<unknown>>;

/**
 * Lets a check judge a value under its own timeout; `contextOf` makes what it is told, with the signal that the timeout
 * aborts.
 *
 * @throws what the check throws; StepFailure `check.timed_out`, `check.result_invalid`, `check.not_reported`; the
 *   signal's reason
 */
export async function judge(
  check: AnyAssetCheck | GroupMember,
  assetKey: string,
  value: unknown,
  signal: AbortSignal,
  contextOf: (signal: AbortSignal) => unknown,
  calls: GroupCalls,
): Promise<CheckResult> {
  const group = groupOf(check);
  if (group === undefined) {
    const result = await withinTimeout(check, `The check "${check.name}"`, value, signal, contextOf);
    return checkResult(result, `The check "${check.name}" of ${assetKey} returned`);
  }
  const names = Object.keys(group.checks).join(", ");
  const call =
    calls.get(group) ?? withinTimeout(check, `The function of the checks ${names}`, value, signal, contextOf);
  calls.set(group, call);
  const verdicts = groupVerdicts(group, await call);
  if (Object.hasOwn(verdicts, check.name)) {
    return checkResult(verdicts[check.name], `The verdict of the check "${check.name}" of ${assetKey} is`);
  }
  throw new StepFailure(
    "check.not_reported",
    `The function of the checks ${names} of ${assetKey} returned no verdict of "${check.name}".`,
    "Return one for each check that the group declares.",
  );
}

/** The group whose function judges this check; undefined where it has one of its own. */
export function groupOf(check: AnyAssetCheck | GroupMember): AnyAssetChecks | undefined {
  return "group" in check ? check.group : undefined;
}

function groupVerdicts({ asset, checks }: AnyAssetChecks, returned: unknown): Record<string, unknown> {
  const names = Object.keys(checks);
  if (typeof returned !== "object" || returned === null) {
    throw new StepFailure(
      "check.result_invalid",
      `The function of the checks ${names.join(", ")} of ${asset.key} returned no object of verdicts.`,
      `Return { ${names.map((name) => `${name}: true or false`).join(", ")} }.`,
    );
  }
  const stranger = Object.keys(returned).find((name) => !Object.hasOwn(checks, name));
  if (stranger === undefined) return returned as Record<string, unknown>;
  throw new StepFailure(
    "check.undeclared",
    `The function of the checks ${names.join(", ")} of ${asset.key} returned a verdict of "${stranger}", which the group does not declare.`,
    "Declare it in `checks`, or leave it out.",
  );
}

async function withinTimeout(
  check: AnyAssetCheck,
  what: string,
  value: unknown,
  signal: AbortSignal,
  contextOf: (signal: AbortSignal) => unknown,
): Promise<unknown> {
  const deadline = new AbortController();
  const both = AbortSignal.any([signal, deadline.signal]);
  const context = await contextOf(both);
  const run = check.run as (value: unknown, context: unknown) => unknown;
  const timeoutMs = check.timeoutMs ?? 0;
  const timer = timeoutMs > 0 ? setTimeout(() => deadline.abort(timedOut(what, timeoutMs)), timeoutMs) : undefined;
  try {
    return await Promise.race([run(value, context), aborted(both)]);
  } finally {
    clearTimeout(timer);
  }
}

function timedOut(what: string, timeoutMs: number): StepFailure {
  return new StepFailure(
    "check.timed_out",
    `${what} ran into its timeout of ${timeoutMs} ms.`,
    "Raise `timeoutMs` of the check, or make it quicker.",
  );
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = () => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
