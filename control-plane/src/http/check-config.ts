import { configRefusal } from "../domain/config-refusal.ts";
import type { Graph } from "../domain/graph.ts";
import type { Plan } from "../domain/planned-step.ts";
import { Problem } from "./problem.ts";

/**
 * Refuses config that nobody reads, and what the JSON Schema of its asset rules out.
 *
 * @throws Problem `config.unknown_asset`, `config.invalid` with the place of each mistake
 */
export function checkConfig(graph: Graph, config: Readonly<Record<string, unknown>>, plan: Plan): void {
  const refusal = configRefusal(graph, config, plan);
  if (refusal === undefined) return;
  const { code, message, hint, errors } = refusal;
  throw new Problem(code, message, hint, errors.length === 0 ? {} : { errors: [...errors] });
}
