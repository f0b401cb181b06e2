import type { CheckCompleted, StepCommand, VersionReference } from "@headgate/proto";
import type { AnyAssetCheck, CheckResult } from "../asset-check.ts";
import type { AnyAssetChecks } from "../asset-checks.ts";
import { type GroupCalls, groupOf, judge } from "./judge.ts";
import { parseMetadata, readVersion } from "./read-version.ts";
import { stepContext } from "./step-context-values.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { stepError } from "./step-error.ts";
import { StepFailure } from "./step-failure.ts";
import { errored, verdict } from "./verdict.ts";

export interface CheckReports {
  /** Several: a group, whose function judges them together. */
  started(checks: readonly AnyAssetCheck[]): void;
  completed(check: CheckCompleted): void;
}

/** Runs the named checks on the stored version, one after the other; each verdict is handed over as it falls. */
export async function runChecks(
  environment: StepEnvironment,
  command: StepCommand,
  version: VersionReference,
  names: readonly string[],
  signal: AbortSignal,
  reports: CheckReports,
): Promise<void> {
  let stored: Promise<unknown> | undefined;
  const read = () =>
    (stored ??= readVersion(environment, environment.assets.get(command.assetKey), command.assetKey, version, signal));
  const calls: GroupCalls = new Map();
  for (const name of names) {
    if (signal.aborted) return;
    const started = (check: AnyAssetCheck) => {
      const group = groupOf(check);
      if (group === undefined) reports.started([check]);
      else if (!calls.has(group)) reports.started(membersAmong(environment, command.assetKey, names, group));
    };
    reports.completed(await runCheck(environment, command, version, name, signal, read, started, calls));
  }
}

/** The checks of a group that are to run here. */
function membersAmong(
  environment: StepEnvironment,
  assetKey: string,
  names: readonly string[],
  group: AnyAssetChecks,
): AnyAssetCheck[] {
  return names.flatMap((name) => {
    const check = environment.checks.get(`${assetKey}@${name}`);
    return check !== undefined && groupOf(check) === group ? [check] : [];
  });
}

async function runCheck(
  environment: StepEnvironment,
  command: StepCommand,
  version: VersionReference,
  name: string,
  signal: AbortSignal,
  read: () => Promise<unknown>,
  started: (check: AnyAssetCheck) => void,
  calls: GroupCalls,
): Promise<CheckCompleted> {
  const check = environment.checks.get(`${command.assetKey}@${name}`);
  try {
    if (check === undefined) throw unknownCheck(command.assetKey, name);
    const value = await read();
    started(check);
    const result = await judged(environment, command, version, check, signal, value, calls);
    return verdict(environment.redaction, check, result);
  } catch (error) {
    const code = error instanceof StepFailure ? error.code : "check.threw";
    return errored({ name, version: check?.version }, stepError(error, code, environment, check));
  }
}

function unknownCheck(assetKey: string, name: string): StepFailure {
  return new StepFailure(
    "check.unknown",
    `This location's code does not define the check "${name}" of ${assetKey}, or it did not load.`,
    "See the location's definition errors; mend them, or deploy the code that has the check.",
  );
}

function judged(
  environment: StepEnvironment,
  command: StepCommand,
  version: VersionReference,
  check: AnyAssetCheck,
  signal: AbortSignal,
  value: unknown,
  calls: GroupCalls,
): Promise<CheckResult> {
  const contextOf = async (both: AbortSignal) => ({
    ...(await stepContext(environment, command, check.asset.partitions, check.resources, version.versionId, both)),
    metadata: parseMetadata(version.metadata),
    dataVersion: version.dataVersion,
  });
  return judge(check, command.assetKey, value, signal, contextOf, calls);
}
