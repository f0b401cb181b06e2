import * as wire from "@headgate/proto";
import type { CommandInput, ComputationCommand, StepCommand, VersionReference } from "../domain/attempt-report.ts";
import type { DependencyMode } from "../domain/definitions.ts";

/** The domain's command in the words of session.proto. */
export function encodeCommand(command: StepCommand): wire.StepCommand {
  const { window, work } = command;
  return {
    attemptId: command.attemptId,
    runId: command.runId,
    epoch: command.epoch,
    attemptNumber: command.attemptNumber,
    assetKey: command.asset,
    partitionKey: command.partition,
    window: window === undefined ? undefined : { start: window.start, end: window.end },
    work: encodeWork(work),
    timeoutMs: command.timeoutMs,
    leaseMs: command.leaseMs,
    traceparent: "",
    runTags: { ...command.tags },
  };
}

/** All members read the same, which goes out once. */
export function encodeComputation({ computationId, members }: ComputationCommand): wire.ComputationCommand {
  const inputs = new Map<string, wire.Input>();
  const encoded = members.map((member): wire.StepCommand => {
    const { work, ...command } = encodeCommand(member);
    if (work?.$case !== "materialize") return { ...command, work };
    for (const input of work.value.inputs) inputs.set(input.name, input);
    return { ...command, work: { $case: "materialize", value: { ...work.value, inputs: [] } } };
  });
  return { computationId, members: encoded, inputs: [...inputs.values()] };
}

function encodeWork(work: StepCommand["work"]): NonNullable<wire.StepCommand["work"]> {
  switch (work.kind) {
    case "materialize":
      return {
        $case: "materialize",
        value: {
          versionId: work.versionId,
          inputs: work.inputs.map(encodeInput),
          checks: [...work.checks],
          config: work.config === undefined ? "" : JSON.stringify(work.config),
        },
      };
    case "checks":
      return { $case: "runChecks", value: { version: encodeVersion(work.version), checks: [...work.checks] } };
  }
}

function encodeInput(input: CommandInput): wire.Input {
  return {
    name: input.name,
    assetKey: input.asset,
    mode: encodeMode(input.mode),
    versions: input.versions.map(encodeVersion),
    leftOut: [...input.leftOut],
    single: input.single,
  };
}

function encodeMode(mode: DependencyMode): wire.DependencyMode {
  switch (mode) {
    case "strict":
      return wire.DependencyMode.DEPENDENCY_MODE_STRICT;
    case "lastValidated":
      return wire.DependencyMode.DEPENDENCY_MODE_LAST_VALIDATED;
    case "orderOnly":
      return wire.DependencyMode.DEPENDENCY_MODE_ORDER_ONLY;
  }
}

/** Metadata goes out as one JSON object, name to value. */
export function encodeVersion(version: VersionReference): wire.VersionReference {
  const { value } = version;
  const metadata = Object.fromEntries(version.metadata.map((entry) => [entry.name, entry.value]));
  return {
    versionId: version.versionId,
    partitionKey: version.partition,
    value: value === null ? undefined : { ...value },
    dataVersion: version.dataVersion,
    metadata: version.metadata.length === 0 ? "" : JSON.stringify(metadata),
  };
}
