import type { LocationSegment, StoredDefinition } from "./asset-graph.ts";
import type { CheckDefinition } from "./definitions.ts";
import type { CarryOver } from "./rename.ts";

/**
 * The definitions as if the new key were what the old one was last: what gated its versions then, under the key that
 * they have from now on. So that a check which went with the old key opens no gate in silence. It reads nothing, since
 * that does not gate it.
 */
export function underFormerKey(segments: readonly LocationSegment[], { from, to }: CarryOver): LocationSegment[] {
  const lastAsset = segments.flatMap(({ assets }) => assets.find(({ definition }) => definition.key === from) ?? []);
  const goneMs = Math.max(0, ...lastAsset.map(({ retiredMs }) => retiredMs ?? 0));
  return segments.map((segment) => ({
    ...segment,
    assets: segment.assets.flatMap((stored) => {
      const { key, requiredChecks } = stored.definition;
      if (key === to) return [];
      if (key !== from) return [stored];
      const { formerly: _, ...definition } = stored.definition;
      return [
        present(stored, {
          ...definition,
          key: to,
          dependencies: [],
          requiredChecks: requiredChecks.map((check) => ({ ...check, asset: check.asset === from ? to : check.asset })),
        }),
      ];
    }),
    checks: segment.checks.flatMap((stored): StoredDefinition<CheckDefinition>[] => {
      const { asset } = stored.definition;
      if (asset === to) return [];
      if (asset !== from) return [stored];
      const wentBefore = stored.retired === true && (stored.retiredMs ?? goneMs) < goneMs;
      return wentBefore ? [] : [present(stored, { ...stored.definition, asset: to })];
    }),
  }));
}

function present<D>({ hash, firstSeenMs }: StoredDefinition<D>, definition: D): StoredDefinition<D> {
  return { definition, hash, firstSeenMs };
}
