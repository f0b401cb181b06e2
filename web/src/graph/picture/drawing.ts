import type { GraphModel } from "./graph-model.ts";
import type { GraphState } from "./graph-state.ts";
import type { Palette } from "./palette.ts";
import type { Scene } from "./scene.ts";
import type { Size, View } from "./view.ts";

export type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** What a person points at, has chosen, and looks for. */
export interface Emphasis {
  readonly selected: number | undefined;
  readonly hovered: number | undefined;
  readonly hoveredTeam: number | undefined;
  /** Edges of the ways from the selected asset to the gates that hold it back. */
  readonly lit: ReadonlySet<number>;
  /** 1 for each asset that is looked for; absent: nothing is. */
  readonly found: Uint8Array | undefined;
}

/** All that a picture is made of, but for where one looks. */
export interface Drawing {
  readonly model: GraphModel;
  readonly scene: Scene;
  readonly state: GraphState;
  readonly emphasis: Emphasis;
  readonly palette: Palette;
  /** What is said of a team whose locations are not reached, by team. */
  readonly fogTexts: ReadonlyMap<number, string>;
}

/** Where one looks: the picture in CSS pixels, of which each has `density` squared dots. */
export interface Look {
  readonly view: View;
  readonly size: Size;
  readonly density: number;
  /** Without texts and edges: too small for them. */
  readonly bare?: true;
}

/** How much is drawn of an asset at this scale. */
export type Detail = "boxes" | "tiles" | "names" | "cards";

export function detailAt(scale: number): Detail {
  if (scale < 0.12) return "boxes";
  if (scale < 0.36) return "tiles";
  return scale < 0.8 ? "names" : "cards";
}

/** A canvas in a worker keeps the first font that it found for a text like this: Inter is named once it is there. */
let family = "system-ui, sans-serif";

export function takeInter(): void {
  family = '"Inter Variable", system-ui, sans-serif';
}

export const font = (px: number, weight = 400): string => `${weight} ${px}px ${family}`;
