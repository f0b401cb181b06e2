import type { AnyAssetCheck, CheckResult } from "../asset-check.ts";
import { StepFailure } from "./step-failure.ts";
import { checkResult } from "./check-result.ts";

/**
 * Lets a check judge a value under its own timeout; `contextOf` makes what it is told, with the signal that the timeout
 * aborts.
 *
 * @throws what the check throws; StepFailure `check.timed_out`, `check.result_invalid`; the signal's reason
 */
export async function judge(
  check: AnyAssetCheck,
  assetKey: string,
  value: unknown,
  signal: AbortSignal,
  contextOf: (signal: AbortSignal) => unknown,
): Promise<CheckResult> {
  const deadline = new AbortController();
  const both = AbortSignal.any([signal, deadline.signal]);
  const context = await contextOf(both);
  const run = check.run as (value: unknown, context: unknown) => unknown;
  const timeoutMs = check.timeoutMs ?? 0;
  const timer =
    timeoutMs > 0 ? setTimeout(() => deadline.abort(timedOut(check.name, timeoutMs)), timeoutMs) : undefined;
  try {
    const result = await Promise.race([run(value, context), aborted(both)]);
    return checkResult(result, `The check "${check.name}" of ${assetKey} returned`);
  } finally {
    clearTimeout(timer);
  }
}

function timedOut(name: string, timeoutMs: number): StepFailure {
  return new StepFailure(
    "check.timed_out",
    `The check "${name}" ran into its timeout of ${timeoutMs} ms.`,
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
