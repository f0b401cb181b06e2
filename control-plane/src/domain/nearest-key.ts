import type { AssetKey } from "@headgate/model";
import { teamOf } from "@headgate/model";

/** Comparisons of one index over its life: past them it suggests nothing, so that a broken graph stays cheap. */
const comparisonsMax = 500_000;
const suggestionsMax = 3;

/** Finds the keys that somebody probably meant. Made for one graph; it indexes the keys when first asked. */
export interface NearestKeys {
  /** At most three keys of the index, nearest first, by edit distance: up to 2, or a third of the name's length. */
  nearest(text: string, visible?: (key: AssetKey) => boolean): readonly AssetKey[];
}

export function nearestKeys(keys: Iterable<AssetKey>): NearestKeys {
  let index: KeyIndex | undefined;
  let left = comparisonsMax;
  return {
    nearest(text, visible = () => true) {
      if (left <= 0) return [];
      index ??= indexed(keys);
      const nameLength = text.length - text.indexOf("/") - 1;
      const distanceMax = Math.max(2, Math.floor(nameLength / 3));
      const ranked: { key: AssetKey; distance: number }[] = [];
      for (const key of candidates(index, text)) {
        if (left-- <= 0) break;
        // The right name under another team is what an author means, however far apart the two teams are spelt.
        const distance = sameName(key, text) ? 1 : editDistance(key, text, distanceMax);
        if (distance <= distanceMax && visible(key)) ranked.push({ key, distance });
      }
      ranked.sort((a, b) => a.distance - b.distance || (a.key < b.key ? -1 : 1));
      return ranked.slice(0, suggestionsMax).map(({ key }) => key);
    },
  };
}

interface KeyIndex {
  readonly byTeam: ReadonlyMap<string, readonly AssetKey[]>;
  readonly byName: ReadonlyMap<string, readonly AssetKey[]>;
}

function indexed(keys: Iterable<AssetKey>): KeyIndex {
  const byTeam = new Map<string, AssetKey[]>();
  const byName = new Map<string, AssetKey[]>();
  for (const key of keys) {
    const team = teamOf(key);
    append(byTeam, team, key);
    append(byName, key.slice(team.length + 1), key);
  }
  return { byTeam, byName };
}

function append(map: Map<string, AssetKey[]>, name: string, key: AssetKey): void {
  const list = map.get(name);
  if (list === undefined) map.set(name, [key]);
  else list.push(key);
}

/** Keys of the text's team and of teams spelt nearly like it, and keys of that name in every other team. */
function* candidates(index: KeyIndex, text: string): Generator<AssetKey> {
  const slash = text.indexOf("/");
  const team = slash < 0 ? "" : text.slice(0, slash);
  const name = text.slice(slash + 1);
  for (const [other, keys] of index.byTeam) {
    if (team !== "" && editDistance(other, team, 2) <= 2) yield* keys;
    else yield* (index.byName.get(name) ?? []).filter((key) => teamOf(key) === other);
  }
}

function sameName(key: AssetKey, text: string): boolean {
  return key.slice(key.indexOf("/") + 1) === text.slice(text.indexOf("/") + 1);
}

/**
 * The optimal string alignment distance (insert, delete, replace, swap neighbours), or `max + 1` once it must be
 * greater than `max`.
 */
export function editDistance(a: string, b: string, max: number): number {
  if (a === b) return 0;
  if (Math.abs(a.length - b.length) > max) return max + 1;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, (beforePrevious[j - 2] ?? 0) + 1);
      }
      current.push(distance);
      least = Math.min(least, distance);
    }
    // A swap reaches back two rows, but costs one more than the row it starts from: the bound below stays true.
    if (least > max) return max + 1;
    beforePrevious = previous;
    previous = current;
  }
  return Math.min(previous[b.length] ?? max + 1, max + 1);
}
