/** Shorter values are too likely to be ordinary words of a log to be struck out. */
const lengthMin = 4;
const marker = "[redacted]";

/** The secret values that this process has read; strikes them out of text. */
export class Redaction {
  #values: string[] = [];
  /** The values and how they look once they were encoded, longest first. */
  #spellings: string[] = [];

  /** Remembers a secret value; true if it was new. */
  add(value: string): boolean {
    if (value.length < lengthMin || this.#values.includes(value)) return false;
    this.#values = [...this.#values, value];
    // Longest first, so that a secret that contains another one goes whole.
    const all = new Set(this.#values.flatMap(spellings));
    this.#spellings = [...all].sort((a, b) => b.length - a.length);
    return true;
  }

  get values(): readonly string[] {
    return this.#values;
  }

  apply(text: string): string {
    let result = text;
    for (const value of this.#spellings) if (result.includes(value)) result = result.replaceAll(value, marker);
    return result;
  }
}

/** As it is, in JSON (once, and in JSON within JSON), as Node prints strings within objects, in a URL, and in Base64. */
function spellings(value: string): string[] {
  const json = inJson(value);
  const printed = (["'", '"', "`"] as const).map((quote) =>
    json.replaceAll('\\"', '"').replaceAll(quote, `\\${quote}`),
  );
  const base64 = Buffer.from(value).toString("base64");
  return [
    value,
    json,
    inJson(json),
    json.replaceAll('\\"', '"'),
    ...printed,
    encodeURIComponent(Buffer.from(value).toString()),
    base64,
    base64.replace(/=+$/, ""),
  ];
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
