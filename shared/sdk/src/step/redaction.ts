/** Shorter values are too likely to be ordinary words of a log to be struck out. */
const lengthMin = 4;
const marker = "[redacted]";

/** The secret values that this process has read; strikes them out of text. */
export class Redaction {
  #values: string[] = [];

  /** Remembers a secret value; true if it was new. */
  add(value: string): boolean {
    if (value.length < lengthMin || this.#values.includes(value)) return false;
    // Longest first, so that a secret that contains another one goes whole.
    this.#values = [...this.#values, value].sort((a, b) => b.length - a.length);
    return true;
  }

  get values(): readonly string[] {
    return this.#values;
  }

  apply(text: string): string {
    let result = text;
    for (const value of this.#values) if (result.includes(value)) result = result.replaceAll(value, marker);
    return result;
  }
}
