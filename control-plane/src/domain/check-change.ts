import type { AssetKey } from "@headgate/model";
import type { AssetNode, CheckNode } from "./asset-graph.ts";

/** A check of one asset that is another, or is there on one side alone. */
export interface CheckChange {
  readonly asset: AssetKey;
  readonly team: string;
  readonly name: string;
  /** Whether it gates, on the side where it is. */
  readonly blocking: boolean;
  /** What is other about it; empty where it is new or gone. */
  readonly texts: readonly string[];
}

export interface CheckChanges {
  readonly added: readonly CheckChange[];
  readonly removed: readonly CheckChange[];
  /** They hold less closed than they did. One that is both is here. */
  readonly weakened: readonly CheckChange[];
  readonly strengthened: readonly CheckChange[];
}

/**
 * What became of the checks of an asset that is on both sides. A check that fails to load, or that is gone though it is
 * required, goes on gating: it is neither removed nor weakened.
 *
 * @param refused whether the newer side refuses a check
 */
export function checkChanges(
  before: AssetNode,
  after: AssetNode,
  refused: (check: CheckNode) => boolean,
): CheckChanges {
  const changes = { added: [], removed: [], weakened: [], strengthened: [] } as Record<
    keyof CheckChanges,
    CheckChange[]
  >;
  const was = new Map(before.checks.map((check) => [identity(check), check]));
  const is = new Map(after.checks.map((check) => [identity(check), check]));
  const [requiredBefore, requiredAfter] = [requiredIds(before), requiredIds(after)];
  for (const [id, check] of is) if (!was.has(id) && check.error === undefined) changes.added.push(told(check, []));
  for (const [id, older] of was) {
    const newer = is.get(id);
    const dropped = requiredBefore.has(id) && !requiredAfter.has(id);
    if (newer === undefined) {
      if (!refused(older)) changes.removed.push(told(older, []));
      continue;
    }
    const weaker = [
      ...(older.definition.blocking && !newer.definition.blocking ? ["blocking → not blocking"] : []),
      ...(!older.definition.newVersionsOnly && newer.definition.newVersionsOnly ? ["now spares older versions"] : []),
      ...(dropped ? ["no longer required by the owner of the asset"] : []),
    ];
    const stronger = [
      ...(!older.definition.blocking && newer.definition.blocking ? ["not blocking → blocking"] : []),
      ...(older.definition.newVersionsOnly && !newer.definition.newVersionsOnly
        ? ["no longer spares older versions"]
        : []),
      ...(older.definition.version === newer.definition.version
        ? []
        : [
            `version ${older.definition.version} → ${newer.definition.version}: older versions are to be checked again`,
          ]),
      ...(requiredAfter.has(id) && !requiredBefore.has(id) ? ["now required by the owner of the asset"] : []),
    ];
    if (weaker.length > 0) changes.weakened.push(told(newer, [...weaker, ...stronger]));
    else if (stronger.length > 0) changes.strengthened.push(told(newer, stronger));
  }
  return changes;
}

/** Among the checks of one asset, whose key may be another than before. */
function identity({ team, name }: { readonly team: string; readonly name: string }): string {
  return `${team}:${name}`;
}

function requiredIds({ definition }: AssetNode): ReadonlySet<string> {
  return new Set(definition.requiredChecks.map(identity));
}

function told({ asset, team, name, definition }: CheckNode, texts: readonly string[]): CheckChange {
  return { asset, team, name, blocking: definition.blocking, texts };
}
