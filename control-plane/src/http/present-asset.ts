import { type DimensionDefinition, formatPartitions, rangeSet } from "@headgate/model";
import type { z } from "zod";
import type { DefinitionError } from "../domain/definitions.ts";
import { type AssetNode, type CheckNode, type GraphError, requiredChecks } from "../domain/graph.ts";
import { type StatusRange, worstStatus } from "../domain/status.ts";
import type { CheckResultRow } from "../storage/checks-read.ts";
import type { publicationsOf } from "../storage/publications.ts";
import type {
  assetDependency,
  assetSummary,
  check,
  dimensionDefinition,
  partitionsDefinition,
  publications,
  statusRange,
} from "./contract/asset.ts";
import type { definitionProblem } from "./contract/shapes.ts";
import { presentFailure } from "./present-failure.ts";
import { presentTime, presentTimeOrNull } from "./present-run.ts";

export type AssetSummaryAnswer = z.input<typeof assetSummary>;

export function presentDefinitionProblem(
  kind: GraphError["kind"],
  key: string,
  error: DefinitionError,
): z.input<typeof definitionProblem> {
  const { code, message, hint, source } = error;
  return { kind, key, code, message, hint, file: source?.file ?? null, line: source?.line ?? null };
}

export function presentAsset(node: AssetNode, ranges: readonly StatusRange[]): AssetSummaryAnswer {
  const { definition, error } = node;
  return {
    key: node.key,
    team: node.team,
    location: node.location,
    description: definition.description,
    group: definition.group,
    tags: { ...definition.tags },
    kinds: [...definition.kinds],
    export: definition.export || definition.exportTo.length > 0,
    inPlace: definition.inPlace,
    external: definition.external === undefined ? null : { ...definition.external },
    multi:
      definition.multi === undefined
        ? null
        : { outputs: [...definition.multi.outputs], canSubset: definition.multi.canSubset },
    batch: definition.batch === undefined ? null : { ...definition.batch },
    partitioned: node.space.definition !== undefined,
    status: worstStatus(ranges),
    counts: Object.fromEntries(ranges.map(({ status, set }) => [status, rangeSet.size(set)])),
    retired: node.retired,
    error: error === undefined ? null : presentDefinitionProblem("asset", node.key, error),
  };
}

export function presentRanges(node: AssetNode, ranges: readonly StatusRange[]): z.input<typeof statusRange>[] {
  return ranges.map(({ status, set }) => ({
    status,
    partitions: formatPartitions(node.space, set),
    count: rangeSet.size(set),
  }));
}

export function presentPartitionsDefinition(node: AssetNode): z.input<typeof partitionsDefinition> | null {
  const { definition } = node.space;
  if (definition === undefined) return null;
  if (definition.kind !== "multi") return presentDimension(definition);
  const dimensions = definition.dimensions.map(({ name, definition: of }) => ({
    name,
    definition: presentDimension(of),
  }));
  return { kind: "multi", dimensions };
}

function presentDimension(definition: DimensionDefinition): z.input<typeof dimensionDefinition> {
  switch (definition.kind) {
    case "static":
      return { kind: "static", keys: [...definition.keys] };
    case "timeWindow": {
      const { cron, timezone, start, end } = definition;
      return { kind: "timeWindow", cron, timezone, start, end: end ?? null };
    }
    case "dynamic":
      return { kind: "dynamic", name: definition.name };
  }
}

export function presentDependencies(node: AssetNode): z.input<typeof assetDependency>[] {
  return node.upstream.map((edge) => ({
    name: edge.dependency.name,
    asset: edge.upstream.key,
    team: edge.upstream.team,
    mode: edge.dependency.mode,
    atLeast: edge.atLeast,
    mapping: edge.mapping.kind,
  }));
}

export function presentPublications({
  published,
  failing,
}: Awaited<ReturnType<typeof publicationsOf>>): z.input<typeof publications> {
  return {
    published,
    failing: failing.map(({ retryAt, error, ...failing }) => ({
      ...failing,
      retryAt: presentTimeOrNull(retryAt),
      error: presentFailure(error),
    })),
  };
}

export function presentChecks(node: AssetNode, latest: readonly CheckResultRow[]): z.input<typeof check>[] {
  const required = new Set(requiredChecks(node, node.team));
  return node.checks.map((check) => presentCheck(check, required.has(check), resultOf(check, latest)));
}

function resultOf(check: CheckNode, latest: readonly CheckResultRow[]): CheckResultRow | undefined {
  return latest.find((row) => row.asset_key === check.asset && row.team === check.team && row.name === check.name);
}

function presentCheck(node: CheckNode, required: boolean, result: CheckResultRow | undefined): z.input<typeof check> {
  const { definition, error } = node;
  return {
    asset: node.asset,
    team: node.team,
    name: node.name,
    location: node.location,
    description: definition.description,
    blocking: definition.blocking,
    required,
    version: definition.version,
    reportedBy: definition.reportedBy ?? null,
    error: error === undefined ? null : presentDefinitionProblem("check", node.id, error),
    latest:
      result === undefined
        ? null
        : {
            outcome: result.outcome,
            current: result.check_version === definition.version,
            partition: result.partition_key,
            version: result.version_id,
            run: result.run_id,
            at: presentTime(result.created_at),
            description: result.description,
            metadata: result.metadata,
          },
  };
}
