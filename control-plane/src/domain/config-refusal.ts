import type { AssetKey } from "@headgate/model";
import type { Graph } from "./asset-graph.ts";
import { configProblems } from "./config-problems.ts";
import { type PlanRefusal, type PlannedStep, refuse } from "./planned-step.ts";
import { unknownConfigFields } from "./unknown-config-fields.ts";

export interface ConfigRefusal extends PlanRefusal {
  readonly code: "config.unknown_asset" | "config.invalid";
  /** The place of each mistake. */
  readonly errors: readonly { readonly path: string; readonly message: string }[];
}

const errorsMax = 20;

/**
 * Why a run may not have this config: nobody reads it, a misspelling more often than a wish, or the JSON Schema of its
 * asset rules it out. Where an asset asks for config, none is judged like an empty object, as its location does.
 */
export function configRefusal(
  graph: Graph,
  config: Readonly<Record<string, unknown>>,
  { steps }: { readonly steps: readonly Pick<PlannedStep, "kind" | "asset">[] },
): ConfigRefusal | undefined {
  const planned = new Set(steps.flatMap((step) => (step.kind === "materialize" ? [step.asset] : [])));
  const stranger = Object.keys(config).find((key) => !planned.has(key as never));
  if (stranger !== undefined) {
    const hint = `Config is by asset key; the run has ${[...planned].slice(0, 10).join(", ")}.`;
    const message = `There is config for ${stranger}, which the run does not have.`;
    return { ...refuse("config.unknown_asset", message, hint), code: "config.unknown_asset", errors: [] };
  }
  const errors: { path: string; message: string }[] = [];
  for (const asset of planned) {
    const node = graph.asset(asset);
    if (node === undefined || errors.length >= errorsMax) continue;
    const given = Object.hasOwn(config, asset) ? config[asset] : undefined;
    const { configSchema } = node.definition;
    if (configSchema === undefined) {
      if (given !== undefined) errors.push({ path: asset, message: "takes no config" });
      continue;
    }
    const problems = [...unknownConfigFields(configSchema, given), ...configProblems(configSchema, given ?? {})];
    for (const { path, message } of problems) {
      errors.push({ path: path === "" ? asset : `${asset}.${path}`, message });
    }
  }
  const [first] = errors;
  if (first === undefined) return undefined;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const hint = "Give it with --set asset.field=value, or with config by asset key; the asset says what it takes.";
  return {
    ...refuse("config.invalid", `Config: ${first.path} ${first.message}${more}.`, hint),
    code: "config.invalid",
    errors: errors.slice(0, errorsMax),
  };
}

/** Why runs that are given no config, as those of a backfill, may not make these assets. */
export function needsConfig(graph: Graph, assets: readonly AssetKey[]): ConfigRefusal | undefined {
  const refusal = configRefusal(graph, {}, { steps: assets.map((asset) => ({ kind: "materialize", asset })) });
  const hint = "A backfill gives no config. Launch runs with --set asset.field=value, or let the asset do without.";
  return refusal === undefined ? undefined : { ...refusal, hint };
}
