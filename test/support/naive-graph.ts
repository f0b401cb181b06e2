import type { AssetDefinition } from "../../control-plane/src/domain/definitions.ts";
import type { Selection } from "../../control-plane/src/domain/selection.ts";

/** A graph as a plain list of definitions, and the questions asked of it, answered in the slowest obvious way. */
export type NaiveGraph = readonly AssetDefinition[];

/**
 * The keys that a graph serves: the least set such that an asset is in it if all that it reads is. A cycle never gets
 * in, nor what reads a missing key, nor what reads either.
 */
export function naiveServed(graph: NaiveGraph): Set<string> {
  const served = new Set<string>();
  for (let before = -1; before !== served.size;) {
    before = served.size;
    for (const { key, dependencies } of graph)
      if (dependencies.every(({ asset }) => served.has(asset))) served.add(key);
  }
  return served;
}

/** Whether a walk of one edge or more along what is read leads from `from` to `to`. */
export function naiveReads(graph: NaiveGraph, from: string, to: string, seen = new Set<string>()): boolean {
  if (seen.has(from)) return false;
  seen.add(from);
  const read = graph.find(({ key }) => key === from)?.dependencies ?? [];
  return read.some(({ asset }) => asset === to || naiveReads(graph, asset, to, seen));
}

function naiveUpstream(graph: NaiveGraph, key: string): string[] {
  return graph.filter((asset) => asset.key === key).flatMap((asset) => asset.dependencies.map((read) => read.asset));
}

function naiveDownstream(graph: NaiveGraph, key: string): string[] {
  return graph.filter(({ dependencies }) => dependencies.some(({ asset }) => asset === key)).map((asset) => asset.key);
}

/** Every key at the end of a walk of at most `distance` edges, walk by walk. */
function naiveReach(keys: readonly string[], distance: number, next: (key: string) => string[]): Set<string> {
  if (distance === 0) return new Set(keys);
  const further = naiveReach([...new Set(keys.flatMap(next))], distance - 1, next);
  return new Set([...keys, ...further]);
}

/** The keys that a selection chooses, straight from its definition. */
export function naiveSelect(graph: NaiveGraph, selection: Selection, statusOf: (key: string) => string): Set<string> {
  const where = (test: (asset: AssetDefinition) => boolean): Set<string> =>
    new Set(graph.filter(test).map(({ key }) => key));
  switch (selection.kind) {
    case "key":
      return where(({ key }) => key === selection.key);
    case "glob": {
      const pattern = selection.pattern.split("*").map((part) => part.replace(/[^a-z0-9]/g, "\\$&"));
      return where(({ key }) => new RegExp(`^${pattern.join(".*")}$`).test(key));
    }
    case "filter":
      return where(({ key, group, kinds }) => {
        const of = { team: [key.split("/")[0]], group: [group], kind: kinds, status: [statusOf(key)] }[selection.by];
        return of.includes(selection.value);
      });
    case "tag":
      return where(({ tags }) =>
        Object.entries(tags).some(([name, value]) => name === selection.name && (selection.value ?? value) === value),
      );
    case "around": {
      const of = [...naiveSelect(graph, selection.of, statusOf)];
      const { upstream, downstream } = selection;
      const up = naiveReach(of, upstream === "all" ? graph.length : upstream, (key) => naiveUpstream(graph, key));
      const down = naiveReach(of, downstream === "all" ? graph.length : downstream, (key) =>
        naiveDownstream(graph, key),
      );
      return new Set([...up, ...down]);
    }
    case "not": {
      const inner = naiveSelect(graph, selection.of, statusOf);
      return where(({ key }) => !inner.has(key));
    }
    case "and": {
      const parts = selection.of.map((part) => naiveSelect(graph, part, statusOf));
      return where(({ key }) => parts.every((part) => part.has(key)));
    }
    case "or":
      return new Set(selection.of.flatMap((part) => [...naiveSelect(graph, part, statusOf)]));
  }
}
