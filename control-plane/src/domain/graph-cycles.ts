/**
 * Edges of a graph over nodes 0 to n - 1, by reader: `upstream[start[i]]` up to `start[i + 1]` are what node i reads. A
 * node that reads itself is no cycle here: whether its partitions do is told by the edge alone.
 */
export interface Adjacency {
  readonly start: Int32Array;
  readonly upstream: Int32Array;
}

/** The edges turned round: what reads each node. */
export function reversed(edges: Adjacency): Adjacency {
  const count = edges.start.length - 1;
  const start = new Int32Array(count + 1);
  for (const node of edges.upstream) start[node + 1]!++;
  for (let i = 0; i < count; i++) start[i + 1]! += start[i]!;
  const next = start.slice();
  const upstream = new Int32Array(edges.upstream.length);
  for (let reader = 0; reader < count; reader++) {
    for (let e = edges.start[reader]!; e < edges.start[reader + 1]!; e++)
      upstream[next[edges.upstream[e]!]!++] = reader;
  }
  return { start, upstream };
}

/** Nodes upstream first, in one pass (Kahn). What is part of a cycle, or reads one, is not among them. */
export function topologicalOrder(edges: Adjacency, readers: Adjacency): Int32Array {
  const count = edges.start.length - 1;
  const order = new Int32Array(count);
  const waitsFor = new Int32Array(count);
  let length = 0;
  for (let i = 0; i < count; i++) {
    for (let e = edges.start[i]!; e < edges.start[i + 1]!; e++) if (edges.upstream[e] !== i) waitsFor[i]!++;
    if (waitsFor[i] === 0) order[length++] = i;
  }
  for (let done = 0; done < length; done++) {
    const node = order[done]!;
    for (let e = readers.start[node]!; e < readers.start[node + 1]!; e++) {
      const reader = readers.upstream[e]!;
      if (reader !== node && --waitsFor[reader]! === 0) order[length++] = reader;
    }
  }
  return order.subarray(0, length);
}

/** A cycle through a node: `path[place]` reads the next entry and so on, the last entry reads the first. */
export interface Cycle {
  readonly path: readonly number[];
  readonly place: number;
}

/** Paths that are searched for in one tangle of cycles; every search is one walk through it. */
const searchesMax = 64;

/**
 * The members of every cycle, each with a cycle through it. In a tangle of very many cycles a member may be given one
 * that it is only tied to, with place 0.
 *
 * @param ordered nodes known to be on no cycle
 */
export function cyclesOf(edges: Adjacency, ordered: Int32Array): Map<number, Cycle> {
  const cycles = new Map<number, Cycle>();
  for (const members of tangles(edges, ordered)) {
    const inside = new Set(members);
    let path: readonly number[] = [];
    let searches = 0;
    for (const member of members) {
      if (cycles.has(member)) continue;
      if (searches++ >= searchesMax) {
        cycles.set(member, { path, place: 0 });
        continue;
      }
      path = shortestCycle(edges, inside, member);
      for (const [place, node] of path.entries()) if (!cycles.has(node)) cycles.set(node, { path, place });
    }
  }
  return cycles;
}

/** At most `lengthMax` nodes of the cycle from its node on, and how many follow. */
export function cycleFrom({ path, place }: Cycle, lengthMax: number): { nodes: number[]; left: number } {
  const length = Math.min(path.length, lengthMax);
  const nodes = Array.from({ length }, (_, i) => path[(place + i) % path.length]!);
  return { nodes, left: path.length - length };
}

/** Strongly connected components that hold a cycle (Tarjan, without recursion), each in ascending order. */
function tangles(edges: Adjacency, ordered: Int32Array): number[][] {
  const count = edges.start.length - 1;
  const found = new Int32Array(count);
  const low = new Int32Array(count);
  const closed = new Uint8Array(count);
  for (const node of ordered) closed[node] = 1;
  const nextEdge = edges.start.slice(0, count);
  const open: number[] = [];
  const path: number[] = [];
  const result: number[][] = [];
  let time = 0;
  const enter = (node: number): void => {
    found[node] = low[node] = ++time;
    open.push(node);
    path.push(node);
  };
  for (let root = 0; root < count; root++) {
    if (closed[root] === 1 || found[root] !== 0) continue;
    enter(root);
    while (path.length > 0) {
      const node = path[path.length - 1]!;
      if (nextEdge[node]! < edges.start[node + 1]!) {
        const upstream = edges.upstream[nextEdge[node]!++]!;
        if (closed[upstream] === 1) continue;
        if (found[upstream] === 0) enter(upstream);
        else low[node] = Math.min(low[node]!, found[upstream]!);
        continue;
      }
      path.pop();
      const reader = path[path.length - 1];
      if (reader !== undefined) low[reader] = Math.min(low[reader]!, low[node]!);
      if (low[node] !== found[node]) continue;
      const members = open.splice(open.lastIndexOf(node));
      for (const member of members) closed[member] = 1;
      if (members.length > 1) result.push(members.sort((a, b) => a - b));
    }
  }
  return result;
}

/** The shortest way from `node` along what is read, within `inside`, back to it: without the return. */
function shortestCycle(edges: Adjacency, inside: ReadonlySet<number>, node: number): number[] {
  const readBy = new Map<number, number>();
  const queue = [node];
  for (const reader of queue) {
    for (let e = edges.start[reader]!; e < edges.start[reader + 1]!; e++) {
      const upstream = edges.upstream[e]!;
      if (upstream === reader) continue;
      if (upstream === node) {
        const path: number[] = [];
        for (let step = reader; step !== node; step = readBy.get(step)!) path.push(step);
        path.push(node);
        return path.reverse();
      }
      if (!inside.has(upstream) || readBy.has(upstream)) continue;
      readBy.set(upstream, reader);
      queue.push(upstream);
    }
  }
  return [node];
}
