/** Markup that is safe to put into a page: made by `html`, which escapes whatever is not. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export function html(parts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  return new Html(
    parts.reduce((text, part, i) => {
      const value = values[i - 1] ?? "";
      return (
        text + (value instanceof Html ? value.toString() : value.replaceAll(/[&<>"']/g, (c) => entities[c] ?? c)) + part
      );
    }),
  );
}

export function joined(all: readonly Html[]): Html {
  return new Html(all.join(""));
}

/** Text that is markup already. Never of what came from outside. */
export function raw(text: string): Html {
  return new Html(text);
}
