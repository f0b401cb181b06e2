import type { AssetNode, Edge } from "../../domain/graph.ts";
import { mappedPartitions } from "../../domain/root-reasons.ts";
import type { Run, RunStep } from "../../domain/run-state.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import { failUnleased } from "./end-unleased.ts";

/** A step of which everything is known that does not depend on its gate. */
export interface DefinedStep {
  readonly step: RunStep;
  readonly node: AssetNode;
  readonly partitionsOf: (edge: Edge) => readonly string[];
}

/** Fails the steps whose definition is gone, and all of what can only be computed as a whole and is not whole. */
export function definedSteps(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  ready: readonly RunStep[],
  nowMs: number,
): DefinedStep[] {
  const parts: DefinedStep[] = [];
  const gone: { readonly step: RunStep; readonly node: AssetNode | undefined }[] = [];
  const moved: { readonly step: RunStep; readonly location: string }[] = [];
  for (const step of ready) {
    const { spec } = step;
    const node = drive.world.graph().asset(spec.asset);
    const ordinal = node?.space.ordinalOf(spec.partition);
    if (node === undefined || node.retired || node.definition.external !== undefined || ordinal === undefined) {
      gone.push({ step, node });
      continue;
    }
    if (node.location !== spec.location) {
      moved.push({ step, location: node.location });
      continue;
    }
    const partitionsOf = (edge: Edge): readonly string[] => {
      const planned = spec.edges.find((e) => e.name === edge.dependency.name && e.asset === edge.upstream.key);
      return planned?.partitions ?? mappedPartitions(edge, ordinal, nowMs);
    };
    parts.push({ step, node, partitionsOf });
  }
  const [lead] = ready;
  const lookedAgain = lead !== undefined && drive.lookedAgain.delete(lead);
  if (lead !== undefined && gone.length > 0 && !lookedAgain) {
    // Whoever planned it may know definitions, and partitions, that this process has not heard of yet.
    drive.unconfirmed.set(lead, { run, assets: [], graph: true });
    return [];
  }
  for (const { step, node } of gone) {
    failUnleased(drive, cycle, run, step, goneError(step.spec.asset, step.spec.partition, step.spec.location, node));
  }
  for (const { step, location } of moved) {
    failUnleased(drive, cycle, run, step, movedError(step.spec.asset, step.spec.location, location, run.id));
  }
  const { computation } = lead?.spec ?? {};
  if (computation === undefined || parts.length === run.computations.get(computation)?.length) return parts;
  if (parts.every(({ node }) => node.definition.multi?.canSubset !== false)) return parts;
  for (const { step } of parts) failUnleased(drive, cycle, run, step, setError(step.spec.asset));
  return [];
}

function setError(asset: string) {
  return {
    code: "step.set_incomplete",
    message: `${asset} is computed by one call together with others, of which one has ended and is not tried again.`,
    hint: "See what became of them, and launch all again.",
  };
}

function goneError(asset: string, partition: string, location: string, node: AssetNode | undefined) {
  if (node?.definition.external !== undefined) {
    return {
      code: "step.definition_gone",
      message: `${asset} is external by now: it is reported, and not made by a step.`,
      hint: `headgate asset show ${asset} says more.`,
    };
  }
  const what = node === undefined || node.retired ? `${asset}` : `partition ${partition} of ${asset}`;
  return {
    code: "step.definition_gone",
    message: `${what} is no longer defined by ${location}.`,
    hint: `headgate location show ${location} lists what it defines and what is wrong with it.`,
  };
}

/** Transferred after the run was planned. A step stays with its location; the next run goes to the new one. */
function movedError(asset: string, from: string, to: string, runId: string) {
  return {
    code: "step.definition_gone",
    message: `${asset} was transferred from location ${from} to ${to} after this run was planned.`,
    hint: `headgate run retry ${runId} --from-failure launches it in ${to}.`,
  };
}
