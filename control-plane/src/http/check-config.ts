import { configProblems } from "../domain/config-problems.ts";
import { unknownConfigFields } from "../domain/unknown-config-fields.ts";
import type { Graph } from "../domain/graph.ts";
import type { Plan } from "../domain/planned-step.ts";
import { Problem } from "./problem.ts";

const errorsMax = 20;

/**
 * Refuses config that nobody reads, a misspelling more often than a wish, and what the JSON Schema of its asset rules
 * out. Where an asset asks for config, none is judged like an empty object, as its location does.
 *
 * @throws Problem `config.unknown_asset`, `config.invalid` with the place of each mistake
 */
export function checkConfig(graph: Graph, config: Readonly<Record<string, unknown>>, { steps }: Plan): void {
  const planned = new Set(steps.flatMap((step) => (step.kind === "materialize" ? [step.asset] : [])));
  const stranger = Object.keys(config).find((key) => !planned.has(key as never));
  if (stranger !== undefined) {
    const hint = `Config is by asset key; the run has ${[...planned].slice(0, 10).join(", ")}.`;
    throw new Problem("config.unknown_asset", `There is config for ${stranger}, which the run does not have.`, hint);
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
  if (first === undefined) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const hint = "Give it with --set asset.field=value, or with config by asset key; the asset says what it takes.";
  throw new Problem("config.invalid", `Config: ${first.path} ${first.message}${more}.`, hint, {
    errors: errors.slice(0, errorsMax),
  });
}
