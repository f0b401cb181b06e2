import type { Drawing, Look } from "../picture/drawing.ts";
import { drawPicture } from "../picture/draw-picture.ts";
import { FittedText } from "../picture/fitted-text.ts";
import { Stamps } from "../picture/stamps.ts";
import { type Size, type View, filling } from "../picture/view.ts";

type Canvas = OffscreenCanvas | HTMLCanvasElement;

/** What is painted on: two large bitmaps in turns, the whole picture small to lie under them, and the small overview. */
export interface Canvases {
  readonly buffers: readonly [Canvas, Canvas];
  readonly underlay: Canvas;
  readonly minimap: Canvas;
}

export type PaintOrder =
  | { readonly kind: "drawing"; readonly change: Partial<Drawing> }
  | { readonly kind: "look"; readonly look: Look }
  | { readonly kind: "minimap"; readonly size: Size; readonly density: number };

/** A buffer shows this now; the other one may be painted on. Or the small pictures are new. */
export type Painted =
  | { readonly kind: "look"; readonly buffer: 0 | 1; readonly look: Look }
  | { readonly kind: "whole"; readonly underlay: Look };

const underlayPx = 1_200;
/** The small pictures may be a little late; the large one may not. */
const wholeAfterMs = 150;

/** Paints what it is told of, in a worker or on the page: the last look that was asked for, and then whatever changes in it. */
export class Painter {
  readonly #canvases: Canvases;
  readonly #tell: (painted: Painted) => void;
  readonly #tools = { stamps: new Stamps(), texts: new FittedText() };
  #drawing: Partial<Drawing> = {};
  #look: Look | undefined;
  #minimap: { readonly size: Size; readonly density: number } | undefined;
  #buffer: 0 | 1 = 0;
  #painting = false;
  #whole: ReturnType<typeof setTimeout> | undefined;

  constructor(canvases: Canvases, tell: (painted: Painted) => void) {
    this.#canvases = canvases;
    this.#tell = tell;
  }

  take(order: PaintOrder): void {
    switch (order.kind) {
      case "drawing":
        this.#drawing = { ...this.#drawing, ...order.change };
        // Pointing at something is seen in the large picture alone.
        if (Object.keys(order.change).some((part) => part !== "emphasis")) this.#paintWholeSoon();
        break;
      case "look":
        this.#look = order.look;
        break;
      case "minimap":
        this.#minimap = order;
        this.#paintWholeSoon();
        return;
    }
    this.#paintSoon();
  }

  close(): void {
    clearTimeout(this.#whole);
    this.#look = undefined;
    this.#minimap = undefined;
  }

  /** Orders that come together are painted once. */
  #paintSoon(): void {
    if (this.#painting) return;
    this.#painting = true;
    setTimeout(() => {
      this.#painting = false;
      this.#paint();
    });
  }

  #paint(): void {
    const drawing = completed(this.#drawing);
    const look = this.#look;
    if (drawing === undefined || look === undefined) return;
    const buffer = this.#buffer === 0 ? 1 : 0;
    paintOn(this.#canvases.buffers[buffer], drawing, look, this.#tools);
    this.#buffer = buffer;
    this.#tell({ kind: "look", buffer, look });
  }

  #paintWholeSoon(): void {
    this.#whole ??= setTimeout(() => {
      this.#whole = undefined;
      this.#paintWhole();
    }, wholeAfterMs);
  }

  #paintWhole(): void {
    const drawing = completed(this.#drawing);
    if (drawing === undefined) return;
    const plain: Drawing = {
      ...drawing,
      emphasis: { ...drawing.emphasis, hovered: undefined, hoveredTeam: undefined },
    };
    const { scene } = plain;
    const scale = underlayPx / Math.max(scene.width, scene.height, 1);
    const view: View = { x: 0, y: 0, scale };
    const size = { width: Math.ceil(scene.width * scale), height: Math.ceil(scene.height * scale) };
    const underlay = { view, size, density: 1 };
    paintOn(this.#canvases.underlay, plain, underlay, this.#tools);
    if (this.#minimap !== undefined) {
      const { size: small, density } = this.#minimap;
      paintOn(
        this.#canvases.minimap,
        plain,
        { view: filling(scene, small), size: small, density, bare: true },
        this.#tools,
      );
    }
    this.#tell({ kind: "whole", underlay });
  }
}

function completed(drawing: Partial<Drawing>): Drawing | undefined {
  const { model, scene, state, emphasis, palette, fogTexts } = drawing;
  if (model === undefined || scene === undefined || state === undefined) return undefined;
  if (emphasis === undefined || palette === undefined || fogTexts === undefined) return undefined;
  return { model, scene, state, emphasis, palette, fogTexts };
}

function paintOn(canvas: Canvas, drawing: Drawing, look: Look, tools: { stamps: Stamps; texts: FittedText }): void {
  const width = Math.max(Math.round(look.size.width * look.density), 1);
  const height = Math.max(Math.round(look.size.height * look.density), 1);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false });
  if (context !== null) drawPicture(context, drawing, look, tools);
}
