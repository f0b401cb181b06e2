import type { AssetKey } from "@headgate/model";
import { selfDependencyProblem, teamOf } from "@headgate/model";
import type { GraphError, LocationSegment } from "./asset-graph.ts";
import { isVisibleTo } from "./asset-graph.ts";
import { assetSite, type ClaimedAsset } from "./claimed-assets.ts";
import {
  lastValidatedInPlace,
  mappingMismatch,
  missingUpstream,
  notExported,
  requiresTooMany,
  retiredUpstream,
  selfDependency,
  unexportedUpstream,
  type DefinitionSite,
} from "./definition-problems.ts";
import { renamedUpstream } from "./former-key-problems.ts";
import type { DefinitionError, Dependency } from "./definitions.ts";
import { edgeMappings, mappedCountMax, resolvedAtLeast, type EdgeMapping } from "./edge-mapping.ts";
import type { Adjacency } from "./graph-cycles.ts";
import type { NearestKeys } from "./nearest-key.ts";

/** Whether the reader was served by this upstream asset before: what is withdrawn goes on serving old edges only. */
export type IsEstablished = (reader: AssetKey, upstream: AssetKey) => boolean;

export interface LinkContext {
  readonly claims: ReadonlyMap<AssetKey, ClaimedAsset>;
  readonly segments: readonly LocationSegment[];
  /** Refused or never loaded, and so not among the claims: not missing either. */
  readonly unclaimed: ReadonlyMap<string, GraphError>;
  /** Former keys, and what they are called now. */
  readonly renamed: ReadonlyMap<string, AssetKey>;
  readonly established: IsEstablished | undefined;
  readonly nearest: NearestKeys;
  readonly refuse: (reader: ClaimedAsset, problem: DefinitionError) => void;
  readonly warn: (reader: ClaimedAsset, problem: DefinitionError) => void;
}

/** The edges between claimed assets, sound or not: a bad edge can close a cycle. */
export interface LinkedEdges extends Adjacency {
  readonly dependencies: readonly Dependency[];
  readonly mappings: readonly EdgeMapping[];
  /** Dependencies on what is refused or never loaded, as pairs of the reader's number and the key. */
  readonly unclaimed: readonly (readonly [reader: number, upstream: AssetKey])[];
}

/** Finds the upstream asset of every dependency and judges each edge by itself. A retired asset reads nothing. */
export function linkedEdges(assets: readonly ClaimedAsset[], context: LinkContext): LinkedEdges {
  const mappingOf = edgeMappings();
  const start = new Int32Array(assets.length + 1);
  const upstreams: number[] = [];
  const dependencies: Dependency[] = [];
  const mappings: EdgeMapping[] = [];
  const unclaimed: [number, AssetKey][] = [];
  for (const reader of assets) {
    for (const dependency of reader.retired ? [] : reader.stored.definition.dependencies) {
      const now = context.renamed.get(dependency.asset);
      if (now !== undefined) {
        context.refuse(reader, renamedUpstream(siteOf(reader), dependency, now));
        continue;
      }
      const upstream = context.claims.get(dependency.asset);
      if (upstream === undefined) {
        if (context.unclaimed.has(dependency.asset)) unclaimed.push([reader.number, dependency.asset]);
        else context.refuse(reader, missing(reader, dependency, context));
        continue;
      }
      upstreams.push(upstream.number);
      dependencies.push(dependency);
      mappings.push(judgedEdge(reader, upstream, dependency, context, mappingOf));
    }
    start[reader.number + 1] = upstreams.length;
  }
  return { start, upstream: Int32Array.from(upstreams), dependencies, mappings, unclaimed };
}

/** Stands where a side has no valid partitions: that side is refused, so the edge is never used. */
const unmapped: EdgeMapping = { mapping: { kind: "identity" }, single: true, problem: undefined };

function judgedEdge(
  reader: ClaimedAsset,
  upstream: ClaimedAsset,
  dependency: Dependency,
  context: LinkContext,
  mappingOf: ReturnType<typeof edgeMappings>,
): EdgeMapping {
  judgeAccess(reader, upstream, dependency, context);
  if (dependency.mode === "lastValidated" && upstream.stored.definition.inPlace) {
    context.refuse(reader, lastValidatedInPlace(siteOf(reader), dependency.asset));
  }
  if (reader.space === undefined || upstream.space === undefined) return unmapped;
  if (reader === upstream) {
    const problem = selfDependencyProblem(dependency.mapping, reader.space);
    if (problem !== undefined) {
      context.refuse(reader, selfDependency(siteOf(reader), dependency, problem));
      return unmapped;
    }
  }
  const mapping = mappingOf(dependency, upstream.space, reader.space);
  if (mapping.problem !== undefined) {
    const { message, hint } = mapping.problem;
    context.refuse(reader, mappingMismatch(siteOf(reader), dependency, message, hint));
    return mapping;
  }
  const atLeast = resolvedAtLeast(dependency, mapping.single);
  const countMax = mappedCountMax(mapping, upstream.space);
  if (atLeast > countMax) context.refuse(reader, requiresTooMany(siteOf(reader), dependency, atLeast, countMax));
  return mapping;
}

function judgeAccess(
  reader: ClaimedAsset,
  upstream: ClaimedAsset,
  dependency: Dependency,
  { established, refuse, warn }: LinkContext,
): void {
  const { key } = reader.stored.definition;
  const { team } = reader.segment;
  const { definition } = upstream.stored;
  if (!isVisibleTo(definition, upstream.segment.team, team)) {
    const site = siteOf(reader);
    if (established?.(key, definition.key) === true) warn(reader, unexportedUpstream(site, definition.key));
    else refuse(reader, notExported(site, "reads", dependency.asset));
  }
  if (upstream.retired) {
    const served = established?.(key, definition.key) ?? true;
    const problem = retiredUpstream(siteOf(reader), definition.key, served);
    if (served) warn(reader, problem);
    else refuse(reader, problem);
  }
}

function missing(reader: ClaimedAsset, dependency: Dependency, context: LinkContext): DefinitionError {
  const { team } = reader.segment;
  const nearest = context.nearest.nearest(dependency.asset, (key) => {
    const claim = context.claims.get(key);
    return (
      claim !== undefined &&
      key !== reader.stored.definition.key &&
      isVisibleTo(claim.stored.definition, claim.segment.team, team)
    );
  });
  const unloaded = unloadedModule(context.segments, teamOf(dependency.asset));
  return missingUpstream(siteOf(reader), dependency, nearest, unloaded);
}

function siteOf(reader: ClaimedAsset): DefinitionSite {
  return assetSite(reader.segment, reader.stored);
}

function unloadedModule(
  segments: readonly LocationSegment[],
  team: string,
): { location: string; module: string } | undefined {
  for (const segment of segments) {
    if (segment.team !== team) continue;
    const error = segment.errors.find(({ kind }) => kind === "module");
    if (error !== undefined) return { location: segment.location, module: error.key };
  }
  return undefined;
}
