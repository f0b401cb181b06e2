import type { ComputationCommand, StepCommand } from "@headgate/proto";
import type { OutputAsset } from "../output-assets.ts";
import type { Metadata } from "../metadata.ts";
import type { ComputedMember, MemberStep, SharedCall } from "./computed-member.ts";
import { ComputedVerdicts } from "./computed-verdicts.ts";
import { checkedDataVersion, configOf, detailsOf, readInputs } from "./materialize.ts";
import type { SaidOfVersion } from "./materialize.ts";
import { missingOutput, returnedOutputs } from "./returned-outputs.ts";
import { stepContext } from "./step-context-values.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { StepFailure } from "./step-failure.ts";

interface OutputStep extends MemberStep {
  readonly output: OutputAsset;
}

/**
 * A call that computes outputs of one multi-asset, of one partition.
 *
 * @throws StepFailure `step.asset_unknown`, `step.set_changed`
 */
export function outputsCall(environment: StepEnvironment, command: ComputationCommand): SharedCall {
  const members = outputSteps(environment, command.members);
  return {
    isWhole: members[0]?.output.multi.canSubset === false,
    compute: (signal) => computeOutputs(environment, members, command, signal),
  };
}

function outputSteps(environment: StepEnvironment, commands: readonly StepCommand[]): OutputStep[] {
  const members = commands.map((command): OutputStep => {
    const output = environment.outputs.get(command.assetKey);
    if (output === undefined) {
      throw new StepFailure(
        "step.asset_unknown",
        `This location's code does not define ${command.assetKey} as an asset of a multi-asset, or it did not load.`,
        "See the location's definition errors; mend them, or launch again if the definitions have changed.",
      );
    }
    if (command.work?.$case !== "materialize") {
      throw new StepFailure("step.command_invalid", "The command has no work.", "Update this location's SDK.");
    }
    return { command, work: command.work.value, asset: output.asset, output };
  });
  const [first] = members;
  const { multi } = first?.output ?? {};
  const isOne = members.every(({ command, output }) => {
    return output.multi === multi && command.partitionKey === first?.command.partitionKey;
  });
  const isWhole = members.length === Object.keys(multi?.assets ?? {}).length;
  if (isOne && (isWhole || multi?.canSubset)) return members;
  const names = members.map(({ command }) => command.assetKey).join(", ");
  throw new StepFailure(
    "step.set_changed",
    isOne
      ? `This location's code computes ${names} only together with ${missingOf(members).join(", ")}.`
      : `This location's code does not compute ${names} in one call.`,
    "The definitions have changed since the run was planned: launch it again.",
  );
}

function missingOf(members: readonly OutputStep[]): string[] {
  const here = new Set(members.map(({ command }) => command.assetKey));
  return (members[0]?.output.part.outputs ?? []).filter((key) => !here.has(key));
}

/**
 * Reads what a multi-asset depends on and computes the outputs that are asked for.
 *
 * @throws what compute throws; StepFailure `step.outputs_invalid` for what is no record of the outputs asked for
 */
async function computeOutputs(
  environment: StepEnvironment,
  members: readonly OutputStep[],
  { inputs }: Pick<ComputationCommand, "inputs">,
  signal: AbortSignal,
): Promise<ComputedMember[]> {
  const [first] = members;
  if (first === undefined) return [];
  const { asset, multi } = first.output;
  const [values, base, config] = await Promise.all([
    readInputs(environment, asset, first.command.partitionKey, inputs, signal),
    stepContext(environment, first.command, asset.partitions, asset.resources, first.work.versionId, signal),
    configOf(asset, givenConfig(members)),
  ]);
  const { assetKey: _assetKey, versionId: _versionId, ...shared } = base;
  const said = new Map(members.map((member) => [member, new Said(environment, member)] as const));
  const context = {
    ...shared,
    config,
    inputs: Object.fromEntries(inputs.map((input) => [input.name, detailsOf(input)])),
    selected: new Set(members.map(({ output }) => output.name)),
    outputs: Object.fromEntries([...said].map(([member, about]) => [member.output.name, about.contextOf(member)])),
  };
  signal.throwIfAborted();
  const compute = multi.compute as (inputs: unknown, context: unknown) => unknown;
  const names = members.map(({ output }) => output.name);
  const returned = returnedOutputs(names, Object.keys(multi.assets), await compute(values, context));
  signal.throwIfAborted();
  return [...said].map(([member, about]) => {
    const { name, asset: output } = member.output;
    const isThere = Object.hasOwn(returned, name);
    const failure = isThere ? undefined : { error: missingOutput(name, output.key) };
    const verdicts = about.verdicts.completed();
    return { member, returned: isThere ? returned[name] : undefined, said: about, verdicts, failure };
  });
}

/** What compute says of one output. */
class Said implements SaidOfVersion {
  readonly metadata: Record<string, Metadata[string]> = {};
  dataVersion = "";
  readonly verdicts: ComputedVerdicts;

  constructor(environment: StepEnvironment, { asset }: MemberStep) {
    this.verdicts = new ComputedVerdicts(asset, environment);
  }

  contextOf({ command, work }: MemberStep) {
    return {
      assetKey: command.assetKey,
      versionId: work.versionId,
      metadata: (values: Metadata) => void Object.assign(this.metadata, values),
      dataVersion: (version: string) => void (this.dataVersion = checkedDataVersion(version)),
      check: this.verdicts.check,
    };
  }
}

/** The run's config may be given under any of the assets, and under several if it is the same. */
function givenConfig(members: readonly OutputStep[]): string {
  const given = new Map(members.flatMap(({ command, work }) => (work.config === "" ? [] : [[work.config, command]])));
  if (given.size <= 1) return [...given.keys()][0] ?? "";
  const keys = [...given.values()].map(({ assetKey }) => assetKey).join(" and ");
  throw new StepFailure(
    "step.config_invalid",
    `The run gives different config for ${keys}, which one call computes.`,
    "Give it under one of them.",
  );
}
