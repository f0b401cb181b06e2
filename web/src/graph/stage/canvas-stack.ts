import fontUrl from "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2?url";
import { type Look, takeInter } from "../picture/drawing.ts";
import type { View } from "../picture/view.ts";
import type { PaintGreeting } from "./paint-worker.ts";
import { type PaintOrder, type Painted, Painter } from "./painter.ts";

/**
 * The canvases of a picture, one over the other: the whole picture small, and over it the bitmap that was painted last,
 * larger than what is seen. Moving and zooming shift them by CSS at once; the next bitmap follows.
 */
export class CanvasStack {
  readonly #buffers: readonly [HTMLCanvasElement, HTMLCanvasElement];
  readonly #underlay: HTMLCanvasElement;
  readonly #send: (order: PaintOrder) => void;
  readonly #end: () => void;
  readonly #painted: (look: Look) => void;
  #shown: { readonly buffer: 0 | 1; readonly look: Look } | undefined;
  #whole: Look | undefined;
  #view: View = { x: 0, y: 0, scale: 1 };

  /** @param painted called when a bitmap came to be shown */
  constructor(host: HTMLElement, minimap: HTMLElement, painted: (look: Look) => void) {
    const canvas = (parent: HTMLElement): HTMLCanvasElement => {
      const element = document.createElement("canvas");
      parent.append(element);
      return element;
    };
    this.#underlay = canvas(host);
    this.#buffers = [canvas(host), canvas(host)];
    const small = canvas(minimap);
    this.#painted = painted;
    for (const one of [this.#underlay, ...this.#buffers]) one.style.visibility = "hidden";
    const hear = (message: Painted) => this.#hear(message);
    if (typeof OffscreenCanvas === "undefined" || !("transferControlToOffscreen" in small)) {
      void document.fonts.ready.then(takeInter);
      const painter = new Painter({ buffers: this.#buffers, underlay: this.#underlay, minimap: small }, hear);
      this.#send = (order) => painter.take(order);
      this.#end = () => painter.close();
    } else {
      const worker = new Worker(new URL("./paint-worker.ts", import.meta.url), { type: "module", name: "graph" });
      worker.onmessage = ({ data }: MessageEvent<Painted>) => hear(data);
      const [first, second] = this.#buffers.map((one) => one.transferControlToOffscreen());
      const underlay = this.#underlay.transferControlToOffscreen();
      const minimapCanvas = small.transferControlToOffscreen();
      if (first === undefined || second === undefined) throw new Error("there are two buffers");
      const greeting: PaintGreeting = {
        kind: "canvases",
        canvases: { buffers: [first, second], underlay, minimap: minimapCanvas },
        fontUrl: new URL(fontUrl, location.href).href,
      };
      worker.postMessage(greeting, [first, second, underlay, minimapCanvas]);
      this.#send = (order) => worker.postMessage(order);
      this.#end = () => worker.terminate();
    }
  }

  order(order: PaintOrder): void {
    this.#send(order);
  }

  /** What the bitmap that is shown was painted for. */
  get shown(): Look | undefined {
    return this.#shown?.look;
  }

  show(view: View): void {
    this.#view = view;
    if (this.#shown !== undefined) place(this.#buffers[this.#shown.buffer], this.#shown.look, view);
    if (this.#whole !== undefined) place(this.#underlay, this.#whole, view);
  }

  /** Hides bitmaps of another scene, which would lie about this one until it is painted. */
  forget(): void {
    for (const canvas of [this.#underlay, ...this.#buffers]) canvas.style.visibility = "hidden";
    this.#shown = undefined;
    this.#whole = undefined;
  }

  close(): void {
    this.#end();
    for (const canvas of [this.#underlay, ...this.#buffers]) canvas.remove();
  }

  #hear(message: Painted): void {
    if (message.kind === "whole") {
      this.#whole = message.underlay;
      this.#underlay.style.visibility = "visible";
      place(this.#underlay, message.underlay, this.#view);
      return;
    }
    const canvas = this.#buffers[message.buffer];
    place(canvas, message.look, this.#view);
    canvas.style.visibility = "visible";
    this.#buffers[message.buffer === 0 ? 1 : 0].style.visibility = "hidden";
    this.#shown = message;
    this.#painted(message.look);
  }
}

/** Puts a bitmap where it belongs when one looks so. */
function place(canvas: HTMLCanvasElement, { view, size }: Look, now: View): void {
  const { style } = canvas;
  style.width = `${size.width}px`;
  style.height = `${size.height}px`;
  const x = (view.x - now.x) * now.scale;
  const y = (view.y - now.y) * now.scale;
  style.transform = `translate(${x}px, ${y}px) scale(${now.scale / view.scale})`;
}
