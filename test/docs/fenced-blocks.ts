/** A fenced block of a document, with the info string that renderers do not show. */
export interface FencedBlock {
  /** Of the document, for messages. */
  readonly file: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  /** The first word of the info string: "sh", "ts", "text", ... */
  readonly language: string;
  /** The words after it; `key=value` has a value, others have "". */
  readonly marks: ReadonlyMap<string, string>;
  readonly text: string;
}

/** The fenced blocks of a Markdown document, in order. */
export function fencedBlocks(markdown: string, file: string): FencedBlock[] {
  const blocks: FencedBlock[] = [];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const fence = /^(`{3,})(\S*)(.*)$/.exec(lines[at] ?? "");
    if (fence === null) continue;
    const [, ticks = "", language = "", info = ""] = fence;
    const end = lines.indexOf(ticks, at + 1);
    if (end < 0) throw new Error(`${file}:${at + 1}: this block has no end`);
    const words = info.split(" ").filter((word) => word !== "");
    const marks = new Map(words.map((word) => [word.split("=", 1)[0] ?? "", word.split("=").slice(1).join("=")]));
    blocks.push({ file, line: at + 1, language, marks, text: lines.slice(at + 1, end).join("\n") });
    at = end;
  }
  return blocks;
}

export function placeOf({ file, line }: FencedBlock): string {
  return `${file}:${line}`;
}
