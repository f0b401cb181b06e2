import type { Glyph } from "./status-dictionary.ts";

/** Of a square of 16, in the form of SVG and `Path2D`: what is drawn as a line of 1.6, and what is filled. */
export interface GlyphPath {
  readonly line: string;
  readonly fill?: string;
}

const circle = "M8 1.8a6.2 6.2 0 1 0 0 12.4a6.2 6.2 0 1 0 0-12.4";

export const glyphPaths: Readonly<Record<Glyph, GlyphPath>> = {
  check: { line: `${circle}M5 8.3l2.1 2.1l3.9-4.6` },
  octagon: { line: "M5.3 1.6h5.4l3.7 3.7v5.4l-3.7 3.7H5.3l-3.7-3.7V5.3zM5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6" },
  lock: { line: "M5 7V4.8a3 3 0 0 1 6 0V7", fill: "M3 7h10v7H3z" },
  unlocked: { line: "M5 7V4.6a3 3 0 0 1 5.7-1.3M3.2 7.2h9.6v6.4H3.2z" },
  arc: { line: "M8 1.8a6.2 6.2 0 1 1-5.9 4.3" },
  triangle: { line: "M8 2l6.4 11.6H1.6zM8 6.4v3.4M8 11.6v.4" },
  clock: { line: `${circle}M8 4.6V8l2.4 1.6` },
  ring: { line: circle },
  bars: { line: "M5.6 3v10M10.4 3v10" },
  dot: { line: "", fill: "M8 5.6a2.4 2.4 0 1 0 0 4.8a2.4 2.4 0 1 0 0-4.8" },
  question: { line: `${circle}M6.2 6.3a1.9 1.9 0 1 1 2.6 1.8c-.6.3-.8.6-.8 1.2M8 11.4v.3` },
  slash: { line: `${circle}M3.8 12.2l8.4-8.4` },
};
