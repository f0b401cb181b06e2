import { readColor } from "../../style/read-color.ts";
import type { Tone } from "../../status/status-dictionary.ts";

/** The colours of the theme of now, for a canvas. */
export interface Palette {
  readonly ground: string;
  readonly surface: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly text: string;
  readonly muted: string;
  readonly accent: string;
  readonly selected: string;
  readonly focus: string;
  readonly tones: Readonly<Record<Tone, string>>;
}

export function readPalette(): Palette {
  return {
    ground: readColor("--bg-sunken"),
    surface: readColor("--bg"),
    line: readColor("--line"),
    lineStrong: readColor("--line-strong"),
    text: readColor("--text"),
    muted: readColor("--text-muted"),
    accent: readColor("--accent"),
    selected: readColor("--bg-selected"),
    focus: readColor("--focus"),
    tones: {
      passed: readColor("--passed"),
      failed: readColor("--failed"),
      blocked: readColor("--blocked"),
      running: readColor("--running"),
      warning: readColor("--warning"),
      idle: readColor("--idle"),
      unknown: readColor("--unknown"),
    },
  };
}
