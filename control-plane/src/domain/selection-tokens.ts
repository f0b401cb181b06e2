/** A word with its quotes taken away; the places say where its first unquoted colon, "=" and "*" are in `text`. */
export interface WordToken {
  readonly kind: "word";
  readonly text: string;
  /** As it was typed. */
  readonly raw: string;
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
  readonly colon: number | undefined;
  readonly equals: number | undefined;
  readonly star: number | undefined;
}

export interface MarkToken {
  readonly kind: "(" | ")" | "+" | ",";
  readonly start: number;
  readonly end: number;
}

export type SelectionToken = WordToken | MarkToken;

/** What is wrong at an offset of the text, counted from 0. */
export interface SelectionFault {
  readonly kind: "fault";
  readonly at: number;
  readonly message: string;
  readonly hint: string;
}

/** Words, and the marks `( ) + ,` that end a word unless they stand in double quotes, where `\` escapes. */
export function selectionTokens(text: string): SelectionToken[] | SelectionFault {
  const tokens: SelectionToken[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (/\s/.test(char)) at++;
    else if (char === "(" || char === ")" || char === "+" || char === ",") {
      tokens.push({ kind: char, start: at, end: ++at });
    } else {
      const word = wordAt(text, at);
      if (word.kind === "fault") return word;
      tokens.push(word);
      at = word.end;
    }
  }
  return tokens;
}

function wordAt(source: string, start: number): WordToken | SelectionFault {
  let text = "";
  let quoted = false;
  const places: { ":"?: number; "="?: number; "*"?: number } = {};
  let at = start;
  while (at < source.length && !/[\s()+,]/.test(source.charAt(at))) {
    const char = source.charAt(at);
    if (char === '"') {
      const inner = quotedAt(source, at);
      if (inner === undefined) {
        return { kind: "fault", at, message: "a quote is not closed", hint: 'Close it with ".' };
      }
      quoted = true;
      text += inner.text;
      at = inner.end;
      continue;
    }
    if (char === ":" || char === "*" || char === "=") places[char] ??= text.length;
    text += char;
    at++;
  }
  const raw = source.slice(start, at);
  return {
    kind: "word",
    text,
    raw,
    start,
    end: at,
    quoted,
    colon: places[":"],
    equals: places["="],
    star: places["*"],
  };
}

function quotedAt(source: string, start: number): { text: string; end: number } | undefined {
  let text = "";
  for (let at = start + 1; at < source.length; at++) {
    const char = source.charAt(at);
    if (char === '"') return { text, end: at + 1 };
    if (char === "\\" && at + 1 < source.length) text += source.charAt(++at);
    else text += char;
  }
  return undefined;
}
