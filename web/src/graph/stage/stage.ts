import type { Drawing, Look } from "../picture/drawing.ts";
import { type Hit, type Scene, hitAt } from "../picture/scene.ts";
import { type Rectangle, type Size, type View, fitted, moved, zoomed } from "../picture/view.ts";
import { CanvasStack } from "./canvas-stack.ts";
import { type Point, followPointing } from "./pointing.ts";

export interface StageListener {
  /** One looks elsewhere, or at all of it. Called at most once a frame. */
  viewed(view: View, whole: boolean): void;
  hovered(hit: Hit | undefined): void;
  clicked(hit: Hit | undefined): void;
  doubleClicked(hit: Hit | undefined): void;
  /** The first bitmap of this scene is on the screen. */
  painted(scene: Scene): void;
}

/** How far beyond what is seen a bitmap reaches, as a part of it; and when the next one is asked for. */
const margin = 0.5;
const movedMax = 0.25;
const zoomedOutMax = 0.85;
const zoomedInMax = 1.25;
const settledAfterMs = 120;

/** The picture on the screen, without React: canvases, pointers, and where one looks. */
export class Stage {
  readonly #host: HTMLElement;
  readonly #minimap: HTMLElement;
  readonly #listener: StageListener;
  readonly #stack: CanvasStack;
  readonly #resize: ResizeObserver;
  readonly #unfollow: () => void;
  #size: Size = { width: 0, height: 0 };
  #view: View = { x: 0, y: 0, scale: 1 };
  #scene: Scene | undefined;
  #asked: Look | undefined;
  #frame: number | undefined;
  #fitsWhole = true;
  #hover: Point | undefined;
  /** What was asked to be seen last: it stays in sight when panels open and windows change. */
  #revealed: Rectangle | undefined;
  #announced: Scene | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(host: HTMLElement, minimap: HTMLElement, listener: StageListener) {
    this.#host = host;
    this.#minimap = minimap;
    this.#listener = listener;
    this.#stack = new CanvasStack(host, minimap, () => this.#painted());
    this.#resize = new ResizeObserver(() => this.#measure());
    this.#resize.observe(host);
    this.#resize.observe(minimap);
    this.#unfollow = followPointing(host, {
      pan: (dx, dy) => this.look(moved(this.#view, dx, dy)),
      zoom: (factor, at) => this.look(zoomed(this.#view, factor, at)),
      hover: (at) => {
        this.#hover = at;
        this.#soon();
      },
      click: (at) => listener.clicked(this.#hitAt(at)),
      doubleClick: (at) => listener.doubleClicked(this.#hitAt(at)),
    });
  }

  get view(): View {
    return this.#view;
  }

  get size(): Size {
    return this.#size;
  }

  draw(change: Partial<Drawing>): void {
    const scene = change.scene;
    if (scene !== undefined && scene !== this.#scene) {
      const other = this.#scene?.kind !== scene.kind;
      this.#scene = scene;
      if (other) this.#stack.forget();
    }
    this.#stack.order({ kind: "drawing", change });
    if (scene !== undefined && this.#fitsWhole) this.#fit();
  }

  /** Looks so from now on. */
  look(view: View): void {
    this.#fitsWhole = false;
    this.#revealed = undefined;
    this.#turn(view);
  }

  /** Looks at all of it, also when the window or the scene changes. */
  fit(): void {
    this.#revealed = undefined;
    this.#fit();
  }

  #fit(): void {
    this.#fitsWhole = true;
    const { width = 0, height = 0 } = this.#scene ?? {};
    if (this.#size.width > 0 && width > 0) this.#turn(fitted({ x: 0, y: 0, width, height }, this.#size));
  }

  /** Looks at this part of it. */
  fitTo(area: Rectangle, scaleMost = 1): void {
    this.look(fitted(area, this.#size, scaleMost));
  }

  /** Brings this part into sight if it is not, at a scale at which names can be read. */
  reveal(area: Rectangle): void {
    this.#revealed = area;
    if (this.#size.width === 0) return;
    const scale = Math.max(this.#view.scale, 0.6);
    const { x, y } = this.#view;
    const inSight =
      this.#view.scale >= 0.36 &&
      area.x >= x &&
      area.y >= y &&
      area.x + area.width <= x + this.#size.width / this.#view.scale &&
      area.y + area.height <= y + this.#size.height / this.#view.scale;
    if (inSight) return;
    this.#fitsWhole = false;
    this.#turn({
      x: area.x + area.width / 2 - this.#size.width / 2 / scale,
      y: area.y + area.height / 2 - this.#size.height / 2 / scale,
      scale,
    });
  }

  zoomBy(factor: number): void {
    this.look(zoomed(this.#view, factor, { x: this.#size.width / 2, y: this.#size.height / 2 }));
  }

  close(): void {
    this.#unfollow();
    this.#resize.disconnect();
    clearTimeout(this.#settling);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#stack.close();
    this.#minimap.replaceChildren();
  }

  #measure(): void {
    const before = this.#size;
    this.#size = { width: this.#host.clientWidth, height: this.#host.clientHeight };
    if (before.width > 0) {
      // What was in the middle stays there when a panel opens beside it.
      const dx = (this.#size.width - before.width) / 2;
      this.#view = moved(this.#view, dx, (this.#size.height - before.height) / 2);
    }
    const small = { width: this.#minimap.clientWidth, height: this.#minimap.clientHeight };
    this.#stack.order({ kind: "minimap", size: small, density: devicePixelRatio });
    this.#asked = undefined;
    if (this.#fitsWhole) this.#fit();
    else this.#turn(this.#view);
    if (this.#revealed !== undefined) this.reveal(this.#revealed);
  }

  #turn(view: View): void {
    this.#view = view;
    this.#stack.show(view);
    if (!this.#covers(view)) this.#ask(view);
    clearTimeout(this.#settling);
    // A stretched bitmap has blurred texts: once the hand rests, it is painted at exactly this scale.
    this.#settling = setTimeout(() => {
      if (this.#asked?.view.scale !== this.#view.scale) this.#ask(this.#view);
    }, settledAfterMs);
    this.#soon();
  }

  /** True while what was asked for is near enough to be shifted, and sharp enough to be stretched. */
  #covers({ x, y, scale }: View): boolean {
    const { width, height } = this.#size;
    if (this.#asked === undefined) return false;
    const { view } = this.#asked;
    const ratio = scale / view.scale;
    const dx = Math.abs(x - view.x - (margin * width) / view.scale) * scale;
    const dy = Math.abs(y - view.y - (margin * height) / view.scale) * scale;
    return dx < movedMax * width && dy < movedMax * height && ratio > zoomedOutMax && ratio < zoomedInMax;
  }

  #ask(view: View): void {
    const { width, height } = this.#size;
    if (width === 0 || height === 0) return;
    this.#asked = {
      view: {
        x: view.x - (margin * width) / view.scale,
        y: view.y - (margin * height) / view.scale,
        scale: view.scale,
      },
      size: { width: width * (1 + 2 * margin), height: height * (1 + 2 * margin) },
      density: devicePixelRatio,
    };
    this.#stack.order({ kind: "look", look: this.#asked });
  }

  #soon(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#listener.viewed(this.#view, this.#fitsWhole);
      this.#listener.hovered(this.#hover === undefined ? undefined : this.#hitAt(this.#hover));
    });
  }

  #hitAt({ x, y }: Point): Hit | undefined {
    if (this.#scene === undefined) return undefined;
    return hitAt(this.#scene, this.#view.x + x / this.#view.scale, this.#view.y + y / this.#view.scale);
  }

  #painted(): void {
    if (this.#scene === undefined || this.#announced === this.#scene) return;
    this.#announced = this.#scene;
    this.#listener.painted(this.#scene);
  }
}
