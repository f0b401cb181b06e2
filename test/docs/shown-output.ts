import { userInfo } from "node:os";

/*
 * Compares the output that a document shows with what really came. Ids, spans of time, dates, addresses and the name of
 * the user may differ, and so may the width of columns. A line with "…" alone stands for any lines.
 */

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
const changing = new RegExp(
  [
    `(?<uuid>${uuid.source})`,
    String.raw`(?<instant>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)`,
    String.raw`(?<clock>\b\d\d:\d\d:\d\d\b(?! {2}-?\d))`,
    String.raw`(?<span>\b\d+(?:\.\d+)? (?:ms|s|min|h|d)\b(?: \d+ (?:s|min|h)\b)?)`,
    String.raw`(?<port>127\.0\.0\.1:\d+)`,
    String.raw`(?<spaces> {2,})`,
  ].join("|"),
  "g",
);

/** Ids as the document has them, each with the id that it stands for in this run. */
export type KnownIds = Map<string, string>;

/** The text with the ids of this run in the place of the document's. */
export function withRealIds(text: string, known: KnownIds): string {
  return text.replaceAll(new RegExp(uuid, "g"), (id) => known.get(id) ?? id);
}

/**
 * What is wrong with `actual`, or undefined. Remembers in `known` which id stands for which: where the document says the
 * same id twice, the run must, too.
 */
export function outputProblem(shown: string, actual: string, known: KnownIds): string | undefined {
  const came = lines(actual.replaceAll(`, ${userInfo().username})`, ", you)"));
  const chunks = chunksOf(lines(shown));
  let from = 0;
  for (const [index, chunk] of chunks.entries()) {
    if (chunk.length === 0) continue;
    const isLast = index === chunks.length - 1;
    const at = placeOf(chunk, came, from, { anchored: index === 0, last: isLast, known });
    if (at === undefined) return difference(chunk, came.slice(from));
    from = at + chunk.length;
  }
  const hasRest = (chunks.at(-1)?.length ?? 0) > 0 && from < came.length;
  return hasRest ? `More came than is shown:\n${came.slice(from).join("\n")}` : undefined;
}

function lines(text: string): string[] {
  return text
    .trim()
    .split("\n")
    .map((line) => line.trimEnd());
}

/** Runs of lines between the "…"; one that is empty stands for an "…" at an end. */
function chunksOf(shown: readonly string[]): string[][] {
  const chunks: string[][] = [[]];
  for (const line of shown) {
    if (line === "…") chunks.push([]);
    else chunks.at(-1)?.push(line);
  }
  return chunks;
}

function placeOf(
  chunk: readonly string[],
  came: readonly string[],
  from: number,
  { anchored, last, known }: { anchored: boolean; last: boolean; known: KnownIds },
): number | undefined {
  const highest = came.length - chunk.length;
  for (let at = last && !anchored ? Math.max(highest, from) : from; at <= (anchored ? from : highest); at++) {
    const ids = new Map(known);
    if (!chunk.every((line, offset) => isLine(line, came[at + offset] ?? "", ids))) continue;
    for (const [shown, real] of ids) known.set(shown, real);
    return at;
  }
  return undefined;
}

function isLine(shown: string, actual: string, ids: KnownIds): boolean {
  const shownIds: string[] = [];
  let pattern = "";
  let end = 0;
  for (const match of shown.matchAll(changing)) {
    pattern += literal(shown.slice(end, match.index));
    end = match.index + match[0].length;
    const { uuid: id, instant, clock, span, port } = match.groups ?? {};
    if (id !== undefined) {
      shownIds.push(id);
      pattern += `(${uuid.source})`;
    } else if (instant !== undefined) pattern += String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
    else if (clock !== undefined) pattern += String.raw`\d\d:\d\d:\d\d`;
    else if (span !== undefined) pattern += String.raw`\d+(?:\.\d+)? (?:ms|s|min|h|d)(?: \d+ (?:s|min|h))?`;
    else if (port !== undefined) pattern += String.raw`127\.0\.0\.1:\d+`;
    else pattern += " {2,}";
  }
  pattern += literal(shown.slice(end));
  const found = new RegExp(`^${pattern}$`).exec(actual);
  if (found === null) return false;
  return shownIds.every((id, index) => {
    const real = found[index + 1] ?? "";
    if (ids.has(id)) return ids.get(id) === real;
    ids.set(id, real);
    return true;
  });
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

function difference(chunk: readonly string[], came: readonly string[]): string {
  return `This is shown:\n${chunk.join("\n")}\n\nThis came:\n${came.join("\n")}`;
}
