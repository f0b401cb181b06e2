import { isAlias, isMap, isSeq, type Node, parseDocument, type Pair, Scalar, stringify, type YAMLSeq } from "yaml";

/** A location to be loaded by `headgate dev`. */
export interface ModuleLocation {
  readonly locationName: string;
  /** Relative to the workspace file, with forward slashes. */
  readonly path: string;
  /** Left out of the entry where it is the location's name. */
  readonly team: string;
}

/**
 * The text of a workspace.yaml with an entry more at the end of `load_from`. Every other character stays: comments,
 * order and quotes are somebody's. Undefined: the file is written in a way that leaves no place for it.
 */
export function withLocation(text: string, location: ModuleLocation): string | undefined {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) return undefined;
  const { contents } = document;
  if (contents === null) return `${endedLine(text, newline)}load_from:${newline}  - ${entryText(location)}${newline}`;
  if (!isMap(contents) || contents.flow === true) return undefined;
  const pair = contents.items.find(({ key }) => key instanceof Scalar && key.value === "load_from") as
    Pair<Node, Node | null> | undefined;
  if (pair === undefined) return `${endedLine(text, newline)}load_from:${newline}  - ${entryText(location)}${newline}`;
  const list = pair.value;
  const isEmpty = list === null || (list instanceof Scalar && list.value === null);
  if (isEmpty) return afterLineOf(text, pair.key.range?.[1] ?? 0, `  - ${entryText(location)}`, newline);
  if (isAlias(list) || !isSeq(list)) return undefined;
  return list.flow === true ? inFlow(text, list, location) : inBlock(text, list, location, newline);
}

function entryText({ locationName, path, team }: ModuleLocation): string {
  const fields = { path, location_name: locationName, ...(team === locationName ? {} : { team }) };
  const flow = { collectionStyle: "flow", lineWidth: 0 } as const;
  return `module: ${stringify(fields, flow).trimEnd()}`;
}

function inBlock(text: string, list: YAMLSeq, location: ModuleLocation, newline: string): string | undefined {
  const [first, last] = [list.items.at(0) as Node | null | undefined, list.items.at(-1) as Node | null | undefined];
  const start = list.range?.[0];
  const end = last?.range?.[1];
  if (first === undefined || start === undefined || end === undefined) return undefined;
  const indent = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  if (/\S/.test(indent)) return undefined;
  // The end of a block may lie on the line after it.
  return afterLineOf(text, text.slice(0, end).trimEnd().length, `${indent}- ${entryText(location)}`, newline);
}

function inFlow(text: string, list: YAMLSeq, location: ModuleLocation): string | undefined {
  const end = list.range?.[1];
  if (end === undefined || text[end - 1] !== "]") return undefined;
  const before = text.slice(0, end - 1).trimEnd();
  const separator = list.items.length === 0 || before.endsWith(",") ? " " : ", ";
  return `${before}${separator}{ ${entryText(location)} } ${text.slice(end - 1)}`;
}

/** `line` as a line of its own, after the line that `offset` is on. */
function afterLineOf(text: string, offset: number, line: string, newline: string): string {
  const end = text.indexOf("\n", offset);
  const at = end < 0 ? text.length : end + 1;
  return `${endedLine(text.slice(0, at), newline)}${line}${newline}${text.slice(at)}`;
}

function endedLine(text: string, newline: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}${newline}`;
}
