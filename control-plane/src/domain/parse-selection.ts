import { assetKeyRule, parseAssetKey } from "@headgate/model";
import { editDistance } from "./nearest-key.ts";
import { filterNames, type Distance, type FilterName, type Selection } from "./selection-syntax.ts";
import {
  selectionTokens,
  type MarkToken,
  type SelectionFault,
  type SelectionToken,
  type WordToken,
} from "./selection-tokens.ts";

export type ParsedSelection =
  | { readonly ok: true; readonly selection: Selection }
  /** `column` counts from 1. */
  | { readonly ok: false; readonly message: string; readonly hint: string; readonly column: number };

const lengthMax = 65_536;
const depthMax = 100;
const distanceMax = 100_000;
/** Each costs a walk through the graph; plain keys are free. */
const walksMax = 256;

/**
 * Reads the selection language: keys and globs, `team: group: tag: kind: status:`, `+x` and `2+x` (upstream), `x+` and
 * `x+1` (downstream), `not`, `and`, `or` (binding in this order, `not` tightest), parentheses, and double quotes.
 * Never throws. The text is at most 65,536 characters, nested at most 100 deep, with any number of keys and at most 256
 * other parts.
 */
export function parseSelection(text: string): ParsedSelection {
  const parsed = text.length > lengthMax ? tooLong : parseTokens(text, selectionTokens(text));
  if (parsed.kind !== "fault") return { ok: true, selection: parsed };
  return { ok: false, message: parsed.message, hint: parsed.hint, column: parsed.at + 1 };
}

type Parsed = Selection | SelectionFault;

const tooLong = fault(
  lengthMax,
  `the selection is longer than ${lengthMax} characters`,
  "Use team:, group: or a glob.",
);

const tooCostly = fault(
  0,
  `the selection has more than ${walksMax} parts that are not plain keys`,
  "Use fewer globs, filters, + and operators: a team:, group: or tag: often says the same.",
);

/** How often evaluating the selection walks through the graph. */
function walksOf(selection: Selection): number {
  switch (selection.kind) {
    case "key":
      return 0;
    case "glob":
    case "filter":
    case "tag":
      return 1;
    case "around":
    case "not":
      return 1 + walksOf(selection.of);
    case "and":
      return selection.of.reduce((walks, part) => walks + 1 + walksOf(part), 0);
    case "or":
      return selection.of.reduce((walks, part) => walks + walksOf(part), 0);
  }
}

function fault(at: number, message: string, hint: string): SelectionFault {
  return { kind: "fault", at, message, hint };
}

/** The tokens with a place among them. Every function below moves it past what it has read. */
interface Reader {
  readonly text: string;
  readonly tokens: readonly SelectionToken[];
  next: number;
  /** Where the last operand began, for messages. */
  operandStart: number;
}

function parseTokens(text: string, tokens: readonly SelectionToken[] | SelectionFault): Parsed {
  if ("kind" in tokens) return tokens;
  if (tokens.length === 0) {
    return fault(0, "the selection is empty", 'Write an asset key, or "*" for every asset.');
  }
  const reader: Reader = { text, tokens, next: 0, operandStart: 0 };
  const selection = parseOr(reader, 0);
  if (selection.kind === "fault") return selection;
  const rest = tokens[reader.next];
  if (rest === undefined) return walksOf(selection) > walksMax ? tooCostly : selection;
  return fault(rest.start, 'there is no "(" for this ")"', 'Remove it, or add a "(" before.');
}

function parseOr(reader: Reader, depth: number): Parsed {
  const parts: Selection[] = [];
  do {
    const part = parseAnd(reader, depth);
    if (part.kind === "fault") return part;
    parts.push(part);
  } while (tookOperator(reader, "or"));
  const next = reader.tokens[reader.next];
  if (next !== undefined && next.kind !== ")") return missingOperator(reader, next);
  return parts.length > 1 ? { kind: "or", of: parts } : parts[0]!;
}

function parseAnd(reader: Reader, depth: number): Parsed {
  const parts: Selection[] = [];
  do {
    const part = parseNot(reader, depth);
    if (part.kind === "fault") return part;
    parts.push(part);
  } while (tookOperator(reader, "and"));
  return parts.length > 1 ? { kind: "and", of: parts } : parts[0]!;
}

function parseNot(reader: Reader, depth: number): Parsed {
  const token = reader.tokens[reader.next];
  if (!tookOperator(reader, "not")) return parseAround(reader, depth);
  if (depth >= depthMax) return tooDeep(token);
  const of = parseNot(reader, depth + 1);
  return of.kind === "fault" ? of : { kind: "not", of };
}

function parseAround(reader: Reader, depth: number): Parsed {
  const operandStart = reader.tokens[reader.next]?.start ?? reader.text.length;
  const upstream = parseUpstream(reader);
  if (typeof upstream === "object") return upstream;
  const of = parseAtom(reader, depth);
  if (of.kind === "fault") return of;
  reader.operandStart = operandStart;
  const downstream = parseDownstream(reader);
  if (typeof downstream === "object") return downstream;
  return upstream === 0 && downstream === 0 ? of : { kind: "around", of, upstream, downstream };
}

/** `+x` or `2+x`. */
function parseUpstream(reader: Reader): Distance | SelectionFault {
  const first = reader.tokens[reader.next];
  const second = reader.tokens[reader.next + 1];
  if (first?.kind === "+") {
    reader.next++;
    return touching(first, second) ? "all" : loosePlus(first);
  }
  if (first?.kind !== "word" || second?.kind !== "+" || first.end !== second.start || !isNumber(first)) return 0;
  reader.next += 2;
  return touching(second, reader.tokens[reader.next]) ? distance(first) : loosePlus(second);
}

/** `x+` or `x+1`. */
function parseDownstream(reader: Reader): Distance | SelectionFault {
  const before = reader.tokens[reader.next - 1];
  const plus = reader.tokens[reader.next];
  if (plus?.kind !== "+") return 0;
  if (before === undefined || before.end !== plus.start) {
    return touching(plus, reader.tokens[reader.next + 1]) ? missingOperator(reader, plus) : loosePlus(plus);
  }
  reader.next++;
  const number = reader.tokens[reader.next];
  if (number?.kind !== "word" || number.start !== plus.end || !isNumber(number)) return "all";
  reader.next++;
  return distance(number);
}

function touching(plus: SelectionToken, next: SelectionToken | undefined): boolean {
  return next !== undefined && next.start === plus.end && (next.kind === "word" || next.kind === "(");
}

function isNumber(word: WordToken): boolean {
  return !word.quoted && /^\d+$/.test(word.text);
}

function distance(word: WordToken): number | SelectionFault {
  const value = Number(word.text);
  if (value >= 1 && value <= distanceMax) return value;
  const hint = value < 1 ? "Leave the number and the + away." : "Leave the number away to go all the way.";
  return fault(word.start, `${word.text} is no distance`, `Write 1 to ${distanceMax}. ${hint}`);
}

function loosePlus(plus: MarkToken | SelectionToken): SelectionFault {
  const hint =
    'Write +key for all that lies upstream, key+ for downstream, without a space; "or" joins two selections.';
  return fault(plus.start, "this + touches no key", hint);
}

function parseAtom(reader: Reader, depth: number): Parsed {
  const token = reader.tokens[reader.next];
  const operator = token === undefined ? undefined : operatorOf(token);
  if (token === undefined || token.kind === ")" || token.kind === "," || token.kind === "+" || operator !== undefined) {
    return missingTerm(reader, token);
  }
  reader.next++;
  if (token.kind === "word") return parseWord(token);
  if (depth >= depthMax) return tooDeep(token);
  const inner = parseOr(reader, depth + 1);
  if (inner.kind === "fault") return inner;
  if (reader.tokens[reader.next]?.kind !== ")")
    return fault(token.start, 'this "(" is not closed', 'Close it with ")".');
  reader.next++;
  return inner;
}

function parseWord(word: WordToken): Parsed {
  if (word.colon !== undefined) return parseFilter(word, word.colon);
  if (word.star !== undefined) return parseGlob(word);
  const key = parseAssetKey(word.text);
  if (key !== undefined) return { kind: "key", key };
  const foreign = foreignOperator(word);
  if (foreign !== undefined) return foreign;
  if (/^[a-z0-9][a-z0-9_-]*$/.test(word.text)) {
    const hint = `Write the team too, team/${word.text}; or "*/${word.text}", team:${word.text}, group:${word.text}.`;
    return fault(word.start, `"${word.text}" is no asset key`, hint);
  }
  return fault(word.start, `"${word.text}" is no asset key`, `${sentence(assetKeyRule)}`);
}

function parseGlob(word: WordToken): Parsed {
  if (!word.quoted && /^[a-z0-9_/*-]+$/.test(word.text)) return { kind: "glob", pattern: word.text };
  const hint = "A glob has the characters of a key and *, which stands for any others: flights/*, */raw_*.";
  return fault(word.start, `${word.raw} is no glob`, hint);
}

function parseFilter(word: WordToken, colon: number): Parsed {
  const name = word.text.slice(0, colon);
  const by = filterNames.find((candidate) => candidate === name);
  if (by === undefined) {
    const near = filterNames.find((candidate) => editDistance(candidate, name.toLowerCase(), 2) <= 2);
    const known = filterNames.map((candidate) => `${candidate}:`).join(" ");
    return fault(
      word.start,
      `there is no filter "${name}:"`,
      `${near ? `Did you mean ${near}:? ` : ""}There are ${known}.`,
    );
  }
  if (word.star !== undefined && word.star > colon) {
    const hint = "A filter's value is matched whole; quote the value if * is part of it.";
    return fault(word.start, `${by}: takes no *`, hint);
  }
  if (by === "tag") return parseTag(word, colon);
  return filter(word, by, word.text.slice(colon + 1));
}

function filter(word: WordToken, by: FilterName, value: string): Parsed {
  if (value !== "") return { kind: "filter", by, value };
  return fault(word.start, `${by}: has no value`, `Write it behind the colon without a space: ${by}:example.`);
}

function parseTag(word: WordToken, colon: number): Parsed {
  const name = word.text.slice(colon + 1, word.equals);
  if (name === "") return fault(word.start, "tag: has no name", "Write tag:name=value, or tag:name for any value.");
  return { kind: "tag", name, ...(word.equals !== undefined && { value: word.text.slice(word.equals + 1) }) };
}

type Operator = "and" | "or" | "not";

function operatorOf(token: SelectionToken): Operator | undefined {
  if (token.kind !== "word" || token.quoted) return undefined;
  const word = token.text.toLowerCase();
  return word === "and" || word === "or" || word === "not" ? word : undefined;
}

function tookOperator(reader: Reader, operator: Operator): boolean {
  const token = reader.tokens[reader.next];
  if (token === undefined || operatorOf(token) !== operator) return false;
  reader.next++;
  return true;
}

function missingTerm(reader: Reader, token: SelectionToken | undefined): SelectionFault {
  const hint = "Write an asset key, a glob, a filter such as team:ml, or a selection in parentheses there.";
  const before = reader.tokens[reader.next - 1];
  if (before !== undefined && operatorOf(before) !== undefined) {
    return fault(token?.start ?? reader.text.length, `nothing to select after "${raw(reader, before)}"`, hint);
  }
  if (token === undefined) return fault(reader.text.length, "the selection ends too early", hint);
  return fault(token.start, `nothing to select before "${raw(reader, token)}"`, hint);
}

/** Two selections side by side may mean both or what they share: the author is asked, not guessed at. */
function missingOperator(reader: Reader, token: SelectionToken): SelectionFault {
  const foreign = foreignOperator(token);
  if (foreign !== undefined) return foreign;
  const before = reader.tokens[reader.next - 1];
  const left = shortened(reader.text.slice(reader.operandStart, before?.end));
  const after = token.kind === "," ? reader.tokens[reader.next + 1] : token;
  const right =
    after === undefined ? "..." : shortened(/^[^\s,()]+/.exec(reader.text.slice(after.start))?.[0] ?? "(...)");
  const message =
    token.kind === "," ? "a comma joins no selections" : `there is no operator between "${left}" and "${right}"`;
  return fault(token.start, message, `Write ${left} or ${right} for both; "and" selects what they share.`);
}

/** An operator of another language. */
function foreignOperator(token: SelectionToken): SelectionFault | undefined {
  if (token.kind !== "word" || token.quoted || !/^(&&?|\|\|?|!.*)$/.test(token.text)) return undefined;
  return fault(token.start, `"${token.text}" is no operator`, "Write and, or, not.");
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function tooDeep(token: SelectionToken | undefined): SelectionFault {
  return fault(
    token?.start ?? 0,
    `the selection is nested deeper than ${depthMax}`,
    "Write it with fewer parentheses.",
  );
}

function raw(reader: Reader, token: SelectionToken): string {
  return reader.text.slice(token.start, token.end);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
