import type { Context } from "./drawing.ts";

const textsMax = 20_000;

/** Texts as they fit into a width, measured once each. */
export class FittedText {
  readonly #fitted = new Map<string, string>();

  /** The text, or as much of it as fits with an ellipsis; the context has the font. Empty if not even that fits. */
  fit(context: Context, text: string, width: number): string {
    // In steps, so that zooming does not measure everything anew at each turn of the wheel.
    const room = Math.floor(width / 4) * 4;
    const key = `${context.font}\n${room}\n${text}`;
    const known = this.#fitted.get(key);
    if (known !== undefined) return known;
    if (this.#fitted.size > textsMax) this.#fitted.clear();
    const fitted = cut(context, text, room);
    this.#fitted.set(key, fitted);
    return fitted;
  }
}

function cut(context: Context, text: string, room: number): string {
  const width = (part: string): number => context.measureText(part).width;
  if (width(text) <= room) return text;
  let fits = 0;
  let fails = text.length;
  while (fits + 1 < fails) {
    const middle = (fits + fails) >> 1;
    if (width(`${text.slice(0, middle)}…`) <= room) fits = middle;
    else fails = middle;
  }
  return fits === 0 ? "" : `${text.slice(0, fits)}…`;
}
