import type { TrialEdge, TrialInput, TrialPlan, TrialVersion } from "@headgate/sdk/serve";
import type { Answer, Routes } from "../../http/contract.ts";
import { type ApiClient, isUnreachable, segment } from "../api-client.ts";
import { CliError } from "../cli-error.ts";

type OpenVersions = Answer<Routes["listOpenVersions"]>;
type Attempt = Answer<Routes["getAttempt"]>;
type Readable = OpenVersions["items"][number];
export type Reason = OpenVersions["leftOut"][number]["reasons"][number];

/** What one dependency of a trial reads. */
export interface ReadInput extends TrialInput {
  readonly read: readonly Readable[];
}

/** The inputs, or the dependencies that have too few open versions and why. */
export type ReadInputs =
  | { readonly blocked: false; readonly inputs: readonly ReadInput[] }
  | { readonly blocked: true; readonly reasons: readonly Reason[] };

/**
 * The newest open version of every partition that the asset reads, by the code of the checkout.
 *
 * @throws CliError if the control plane cannot be asked, or does not know what is read
 */
export async function validatedInputs(api: ApiClient, plan: TrialPlan): Promise<ReadInputs> {
  const inputs: ReadInput[] = [];
  const reasons: Reason[] = [];
  for (const edge of plan.edges) {
    if (edge.mode === "orderOnly") continue;
    const open = await openVersions(api, plan, edge);
    if (open.items.length < edge.needed) {
      reasons.push(...open.leftOut.flatMap((left) => left.reasons), ...tooFew(edge, open));
      continue;
    }
    inputs.push(
      inputOf(
        edge,
        open.items,
        open.leftOut.map(({ partition }) => partition),
      ),
    );
  }
  return reasons.length > 0 ? { blocked: true, reasons } : { blocked: false, inputs };
}

async function openVersions(api: ApiClient, plan: TrialPlan, edge: TrialEdge): Promise<OpenVersions> {
  // A window that reaches to before the first partition: there is nothing to ask for.
  if (edge.count === 0) return { items: [], leftOut: [] };
  const query = { reader: plan.assetKey, ...(edge.partitions === "" ? {} : { partitions: edge.partitions }) };
  try {
    return await api.get("listOpenVersions", `/assets/${segment(edge.assetKey)}/open-versions`, query);
  } catch (error) {
    if (!isUnreachable(error) || !(error instanceof CliError)) throw error;
    const hint = "Start one with `npx headgate dev`, or name one with --from URL.";
    throw new CliError(error.code, `${plan.assetKey} reads ${edge.assetKey}. ${error.message}`, hint, { cause: error });
  }
}

/** Nothing is mapped, or fewer partitions are than are needed: then no partition of them says why. */
function tooFew(edge: TrialEdge, { items, leftOut }: OpenVersions): Reason[] {
  if (leftOut.length > 0) return [];
  const { assetKey: asset, needed } = edge;
  const message = `${asset}: ${items.length} of the ${needed} partitions needed have an open version`;
  const owner = { team: asset.split("/", 1)[0] ?? "", contacts: [], oncallUrl: null, runbook: null };
  return [{ kind: "noValidatedVersion", asset, partition: "", open: items.length, needed, message, owner }];
}

/**
 * Exactly what an attempt read, for the dependencies that the code of the checkout has.
 *
 * @throws CliError where the attempt did not read one of them, or a version is gone
 */
export function attemptInputs(attempt: Attempt, plan: TrialPlan): readonly ReadInput[] {
  return plan.edges
    .filter(({ mode }) => mode !== "orderOnly")
    .map((edge) => {
      const read = attempt.reads.find(({ name, asset }) => name === edge.name && asset === edge.assetKey);
      if (read === undefined) {
        const read = attempt.reads.map(({ name, asset }) => `${asset} as ${name}`).join(", ") || "nothing";
        const message = `Attempt ${attempt.id} did not read ${edge.assetKey} as "${edge.name}".`;
        throw new CliError(
          "try.input_missing",
          message,
          `It read ${read}. Try on validated inputs: leave --attempt out.`,
        );
      }
      if (read.gone.length > 0) {
        const message = `Versions of ${read.asset} that attempt ${attempt.id} read are gone: ${read.gone.join(", ")}.`;
        throw new CliError("try.input_gone", message, "Try on validated inputs: leave --attempt out.");
      }
      return inputOf(edge, read.versions, read.leftOut);
    });
}

function inputOf(edge: TrialEdge, read: readonly Readable[], leftOut: readonly string[]): ReadInput {
  const { name, assetKey, mode, single } = edge;
  return { name, assetKey, mode, single, leftOut, read, versions: read.map(trialVersion) };
}

function trialVersion({ id, partition, value, dataVersion, metadata }: Readable): TrialVersion {
  return {
    versionId: id,
    partitionKey: partition,
    value: value ?? undefined,
    dataVersion,
    metadata: Object.fromEntries(metadata.map((entry) => [entry.name, entry.value])),
  };
}
