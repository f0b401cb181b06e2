/** A point on the stage, in CSS pixels from its left upper corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PointingListener {
  pan(dx: number, dy: number): void;
  zoom(factor: number, at: Point): void;
  hover(at: Point | undefined): void;
  click(at: Point): void;
  doubleClick(at: Point): void;
}

/** A hand that trembles has still clicked. */
const clickPx = 4;

/** Mouse, pen and fingers on an element, as movements of a picture. Returns what ends it. */
export function followPointing(element: HTMLElement, listener: PointingListener): () => void {
  const down = new Map<number, Point>();
  let travelled = 0;
  const ended = new AbortController();
  const pointOf = (event: MouseEvent): Point => {
    const { left, top } = element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const on = <K extends keyof HTMLElementEventMap>(kind: K, act: (event: HTMLElementEventMap[K]) => void): void =>
    element.addEventListener(kind, act, { signal: ended.signal, passive: false });

  on("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (down.size === 0) travelled = 0;
    down.set(event.pointerId, pointOf(event));
    element.setPointerCapture(event.pointerId);
  });
  on("pointermove", (event) => {
    const to = pointOf(event);
    const from = down.get(event.pointerId);
    if (from === undefined) return listener.hover(to);
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    travelled += Math.abs(to.x - from.x) + Math.abs(to.y - from.y);
    if (other !== undefined) {
      const middle = { x: (other.x + to.x) / 2, y: (other.y + to.y) / 2 };
      const before = Math.hypot(other.x - from.x, other.y - from.y);
      listener.zoom(Math.hypot(other.x - to.x, other.y - to.y) / Math.max(before, 1), middle);
      listener.pan((to.x - from.x) / 2, (to.y - from.y) / 2);
    } else if (travelled > clickPx) listener.pan(to.x - from.x, to.y - from.y);
    down.set(event.pointerId, to);
  });
  const release = (event: PointerEvent): void => {
    const wasDown = down.delete(event.pointerId);
    if (wasDown && event.type === "pointerup" && down.size === 0 && travelled <= clickPx)
      listener.click(pointOf(event));
  };
  on("pointerup", release);
  on("pointercancel", release);
  on("pointerleave", () => listener.hover(undefined));
  on("dblclick", (event) => listener.doubleClick(pointOf(event)));
  on("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (event.shiftKey) return listener.pan(-(event.deltaX + event.deltaY) * lines, 0);
    // A pinch on a touchpad comes as a wheel with the control key, in smaller steps.
    const speed = event.ctrlKey ? 0.01 : 0.0015;
    listener.zoom(Math.exp(-event.deltaY * lines * speed), pointOf(event));
  });
  return () => ended.abort();
}
