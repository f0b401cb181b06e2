import { glyphPaths } from "../../status/glyph-paths.ts";
import type { Glyph } from "../../status/status-dictionary.ts";
import type { Context } from "./drawing.ts";

type Stamp = OffscreenCanvas | HTMLCanvasElement;

function blank(px: number): { readonly stamp: Stamp; readonly context: Context } {
  const stamp = typeof OffscreenCanvas === "undefined" ? document.createElement("canvas") : new OffscreenCanvas(px, px);
  stamp.width = stamp.height = px;
  return { stamp, context: stamp.getContext("2d") as Context };
}

const stampsMax = 400;

/** Glyphs and patterns, drawn once and then stamped: a picture has thousands of a few. */
export class Stamps {
  readonly #stamps = new Map<string, Stamp>();

  /** A glyph with its middle at x, y. */
  glyph(context: Context, glyph: Glyph, color: string, x: number, y: number, size: number, density: number): void {
    const px = Math.max(Math.round(size * density), 1);
    const stamp = this.#once(`${glyph} ${color} ${px}`, () => glyphStamp(glyph, color, px));
    context.drawImage(stamp, x - size / 2, y - size / 2, size, size);
  }

  /** Diagonal stripes: what waits behind a closed gate, in whatever colours one sees. */
  hatch(context: Context, color: string): CanvasPattern | string {
    const stamp = this.#once(`hatch ${color}`, () => {
      const { stamp, context: ink } = blank(8);
      ink.strokeStyle = color;
      ink.globalAlpha = 0.4;
      ink.lineWidth = 1.5;
      ink.beginPath();
      for (const at of [-8, 0, 8]) {
        ink.moveTo(at - 1, 9);
        ink.lineTo(at + 9, -1);
      }
      ink.stroke();
      return stamp;
    });
    return context.createPattern(stamp, "repeat") ?? color;
  }

  #once(key: string, make: () => Stamp): Stamp {
    const known = this.#stamps.get(key);
    if (known !== undefined) return known;
    // Zooming leaves sizes behind that nobody asks for again.
    if (this.#stamps.size > stampsMax) this.#stamps.clear();
    const made = make();
    this.#stamps.set(key, made);
    return made;
  }
}

function glyphStamp(glyph: Glyph, color: string, px: number): Stamp {
  const { stamp, context } = blank(px);
  const { line, fill } = glyphPaths[glyph];
  context.scale(px / 16, px / 16);
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = px < 12 ? 2.2 : 1.6;
  context.lineJoin = "round";
  if (line !== "") context.stroke(new Path2D(line));
  if (fill !== undefined) context.fill(new Path2D(fill));
  return stamp;
}
