import { degree, type Neighbours } from "./neighbours.ts";
import type { RankedItems } from "./ranked-items.ts";

const sweeps = 8;
const swapRounds = 4;
/** Items with more links than this are not swapped with their neighbours: comparing them costs the product of both. */
const swappedLinksMax = 40;

/** The items of each rank, in an order in which few links cross. */
export function orderedRanks(items: RankedItems): Int32Array[] {
  const ranks = firstOrder(items);
  const places = new Float64Array(items.rankOf.length);
  for (const rank of ranks) remember(places, rank);
  let best = ranks.map((rank) => rank.slice());
  let fewest = crossings(ranks, items.after, places);
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    if (sweep % 2 === 0) for (let r = 1; r < ranks.length; r++) sortByMean(ranks[r]!, items.before, places);
    else for (let r = ranks.length - 2; r >= 0; r--) sortByMean(ranks[r]!, items.after, places);
    const found = crossings(ranks, items.after, places);
    if (found >= fewest) continue;
    fewest = found;
    best = ranks.map((rank) => rank.slice());
  }
  for (const rank of best) remember(places, rank);
  for (let round = 0; round < swapRounds; round++) {
    let swapped = false;
    for (const rank of best) swapped = swapNeighbours(rank, items, places) || swapped;
    if (!swapped) break;
  }
  return best;
}

/** Along the edges, depth first, so that what belongs together begins together. */
function firstOrder({ rankOf, after, before }: RankedItems): Int32Array[] {
  const count = rankOf.length;
  const lists: number[][] = Array.from(
    { length: rankOf.reduce((most, rank) => Math.max(most, rank + 1), 0) },
    () => [],
  );
  const seen = new Uint8Array(count);
  for (let root = 0; root < count; root++) {
    if (seen[root] === 1 || degree(before, root) > 0) continue;
    const stack = [root];
    for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
      if (seen[item] === 1) continue;
      seen[item] = 1;
      lists[rankOf[item]!]!.push(item);
      for (let i = after.start[item + 1]! - 1; i >= after.start[item]!; i--) stack.push(after.list[i]!);
    }
  }
  return lists.map((list) => Int32Array.from(list));
}

/** Places count from the middle of the rank, so that ranks of different lengths can be compared. */
function remember(places: Float64Array, rank: Int32Array): void {
  const middle = (rank.length - 1) / 2;
  for (let i = 0; i < rank.length; i++) places[rank[i]!] = i - middle;
}

function sortByMean(rank: Int32Array, links: Neighbours, places: Float64Array): void {
  const means = new Map<number, number>();
  for (const item of rank) means.set(item, meanPlace(item, links, places));
  rank.sort((a, b) => means.get(a)! - means.get(b)! || places[a]! - places[b]!);
  remember(places, rank);
}

function meanPlace(item: number, { start, list }: Neighbours, places: Float64Array): number {
  const first = start[item]!;
  const end = start[item + 1]!;
  if (first === end) return places[item]!;
  let sum = 0;
  for (let i = first; i < end; i++) sum += places[list[i]!]!;
  return sum / (end - first);
}

/** Swaps neighbours where fewer links cross afterwards. */
function swapNeighbours(rank: Int32Array, { before, after }: RankedItems, places: Float64Array): boolean {
  let swapped = false;
  for (let i = 0; i + 1 < rank.length; i++) {
    const a = rank[i]!;
    const b = rank[i + 1]!;
    const now = pairCrossings(a, b, before, places) + pairCrossings(a, b, after, places);
    if (now === 0) continue;
    const then = pairCrossings(b, a, before, places) + pairCrossings(b, a, after, places);
    if (then >= now) continue;
    rank[i] = b;
    rank[i + 1] = a;
    const place = places[a]!;
    places[a] = places[b]!;
    places[b] = place;
    swapped = true;
  }
  return swapped;
}

/** How many links of `a`, which stands first, cross links of `b`. */
function pairCrossings(a: number, b: number, links: Neighbours, places: Float64Array): number {
  const { start, list } = links;
  if (degree(links, a) > swappedLinksMax || degree(links, b) > swappedLinksMax) return 0;
  let found = 0;
  for (let i = start[a]!; i < start[a + 1]!; i++) {
    const place = places[list[i]!]!;
    for (let j = start[b]!; j < start[b + 1]!; j++) if (places[list[j]!]! < place) found++;
  }
  return found;
}

/**
 * How many pairs of links between neighbouring ranks cross.
 *
 * Source: Barth, Mutzel, Jünger, "Simple and efficient bilayer cross counting", 2004.
 */
function crossings(ranks: readonly Int32Array[], { start, list }: Neighbours, places: Float64Array): number {
  let found = 0;
  for (let r = 0; r + 1 < ranks.length; r++) {
    const size = ranks[r + 1]!.length;
    const middle = (size - 1) / 2;
    const tree = new Int32Array(size + 1);
    let seen = 0;
    for (const item of ranks[r]!) {
      for (let i = start[item]!; i < start[item + 1]!; i++) {
        let atMost = 0;
        for (let at = places[list[i]!]! + middle + 1; at > 0; at -= at & -at) atMost += tree[at]!;
        found += seen - atMost;
      }
      for (let i = start[item]!; i < start[item + 1]!; i++) {
        for (let at = places[list[i]!]! + middle + 1; at <= size; at += at & -at) tree[at]!++;
        seen++;
      }
    }
  }
  return found;
}
