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

/** What all members read goes out once. */
export function encodeComputation({ computationId, members }: ComputationCommand): wire.ComputationCommand {
  const shared = sharedInputs(members);
  const encoded = members.map((member): wire.StepCommand => {
    const { work, ...command } = encodeCommand(member);
    if (work?.$case !== "materialize") return { ...command, work };
    const inputs = work.value.inputs.filter(({ name }) => !shared.has(name));
    return { ...command, work: { $case: "materialize", value: { ...work.value, inputs } } };
  });
  return { computationId, members: encoded, inputs: [...shared.values()].map(encodeInput) };
}

/** By name, the inputs of which every member reads the same versions. */
function sharedInputs(members: readonly StepCommand[]): ReadonlyMap<string, CommandInput> {
  const inputsOf = ({ work }: StepCommand): readonly CommandInput[] => (work.kind === "materialize" ? work.inputs : []);
  const [first, ...others] = members;
  const shared = new Map((first === undefined ? [] : inputsOf(first)).map((input) => [input.name, input]));
  for (const member of others) {
    if (shared.size === 0) break;
    const own = new Map(inputsOf(member).map((input) => [input.name, input]));
    for (const [name, input] of shared) if (!readsTheSame(input, own.get(name))) shared.delete(name);
  }
  return shared;
}

function readsTheSame(a: CommandInput, b: CommandInput | undefined): boolean {
  const isSame = (ours: readonly string[], theirs: readonly string[]): boolean =>
    ours.length === theirs.length && ours.every((text, n) => text === theirs[n]);
  const ids = ({ versions }: CommandInput): string[] => versions.map(({ versionId }) => versionId);
  return b !== undefined && isSame(ids(a), ids(b)) && isSame(a.leftOut, b.leftOut);
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
