import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type YAMLMap,
} from "yaml";
import { editDistance } from "../domain/nearest-key.ts";
import { interpolate } from "./interpolate.ts";
import type { ValueRule } from "./value-rules.ts";
import type { WorkspaceProblem, WorkspaceProblemCode } from "./workspace.ts";

/** What all readers of one file share. */
export interface Reading {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly problems: WorkspaceProblem[];
}

/** Reads YAML nodes, and puts on record, with its position, what is not as it should be. */
export class NodeReader {
  readonly #reading: Reading;
  readonly #locationName: string | undefined;
  /** True once this reader has reported something: what it reads is then not to be used. */
  failed = false;

  /** `locationName`: whose problems these are. */
  constructor(reading: Reading, locationName?: string) {
    this.#reading = reading;
    this.#locationName = locationName;
  }

  problem(node: Node | undefined, code: WorkspaceProblemCode, message: string, hint: string): undefined {
    this.failed = true;
    const { file, lines, problems } = this.#reading;
    const { line, col: column } = lines.linePos(node?.range?.[0] ?? 0);
    const locationName = this.#locationName === undefined ? {} : { locationName: this.#locationName };
    problems.push({ code, message, hint, file, line: Math.max(line, 1), column: Math.max(column, 1), ...locationName });
    return undefined;
  }

  lineOf(node: Node): number {
    return this.#reading.lines.linePos(node.range?.[0] ?? 0).line;
  }

  resolve(node: unknown): Node | undefined {
    if (isAlias(node)) return node.resolve(this.#reading.document);
    return (node ?? undefined) as Node | undefined;
  }

  /** The node as a map of those keys; others are problems with the nearest key as remedy. */
  map(node: Node | undefined, what: string, keys: readonly string[]): MapReader | undefined {
    const map = this.anyMap(node, what);
    if (map === undefined) return undefined;
    for (const pair of map.items) {
      const key = keyText(pair);
      if (key !== undefined && keys.includes(key)) continue;
      this.problem(
        pair.key as Node,
        "workspace.unknown_key",
        `${what}: unknown key "${key ?? "?"}"`,
        nearest(key ?? "", keys),
      );
    }
    return new MapReader(this, map, what);
  }

  anyMap(node: Node | undefined, what: string): YAMLMap | undefined {
    if (isMap(node)) return node;
    return this.problem(node, "workspace.wrong_value", `${what} is not a map`, `write ${what} as keys and values`);
  }

  list(node: Node | undefined, what: string): Node[] | undefined {
    if (!isSeq(node)) {
      return this.problem(
        node,
        "workspace.wrong_value",
        `${what} is not a list`,
        `begin each item of ${what} with "- "`,
      );
    }
    return node.items.flatMap((item) => this.resolve(item) ?? []);
  }

  /** A scalar as text, with its variables filled in. */
  text(node: Node | undefined, what: string): string | undefined {
    if (!isScalar(node) || node.value === null) {
      return this.problem(node, "workspace.wrong_value", `${what} is not a text`, `write one value for ${what}`);
    }
    // The text as written, so that a version 1.10 does not become 1.1.
    const written = typeof node.value === "string" ? node.value : (node.source ?? JSON.stringify(node.value));
    const filled = interpolate(written, this.#reading.env);
    if (filled.ok) return filled.text;
    return this.problem(
      node,
      "workspace.missing_variable",
      `${what}: the environment variable ${filled.name} is not set`,
      `set ${filled.name}, or write \${${filled.name}:-default}`,
    );
  }
}

/** Reads the values of one map. A key that is absent reads as undefined, and as a problem if it is required. */
export class MapReader {
  readonly #reader: NodeReader;
  readonly #map: YAMLMap;
  readonly #what: string;

  constructor(reader: NodeReader, map: YAMLMap, what: string) {
    this.#reader = reader;
    this.#map = map;
    this.#what = what;
  }

  node(key: string): Node | undefined {
    return this.#reader.resolve(this.#map.get(key, true));
  }

  text(key: string, rule: ValueRule): string | undefined {
    const node = this.node(key);
    if (node === undefined) return undefined;
    const what = `${this.#what}: ${key}`;
    const text = this.#reader.text(node, what);
    if (text === undefined || rule.pattern.test(text)) return text;
    return this.#reader.problem(node, "workspace.wrong_value", `${what} is "${text}"`, `it must be ${rule.expected}`);
  }

  required<T>(key: string, value: T | undefined): T | undefined {
    if (value !== undefined || this.node(key) !== undefined) return value;
    return this.#reader.problem(this.#map, "workspace.missing_key", `${this.#what} has no ${key}`, `add ${key}`);
  }
}

export function keyText(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

/** "did you mean grpc_server?", or the list of what there is. */
export function nearest(text: string, words: readonly string[]): string {
  const distanceMax = Math.max(1, Math.floor(text.length / 3));
  const ranked = words
    .map((word) => ({ word, distance: editDistance(word, text, distanceMax) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= distanceMax
    ? `did you mean ${best.word}?`
    : `use one of: ${words.join(", ")}`;
}
