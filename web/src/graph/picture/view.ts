/** A look at the picture: the point of it at the left upper corner, and CSS pixels a unit. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rectangle extends Size {
  readonly x: number;
  readonly y: number;
}

export const scaleMax = 2;
const scaleMin = 0.01;
/** Around what is brought into view, in CSS pixels. */
const margin = 32;

/** All of this rectangle, in the middle; never larger than `scaleMost`. */
export function fitted(area: Rectangle, screen: Size, scaleMost = 1): View {
  const scale = clamped(
    Math.min(
      (screen.width - 2 * margin) / Math.max(area.width, 1),
      (screen.height - 2 * margin) / Math.max(area.height, 1),
      scaleMost,
    ),
  );
  return {
    x: area.x + area.width / 2 - screen.width / 2 / scale,
    y: area.y + area.height / 2 - screen.height / 2 / scale,
    scale,
  };
}

/** All of a picture in the middle of a small screen, without a margin. */
export function filling({ width, height }: Size, screen: Size): View {
  const scale = Math.min(screen.width / Math.max(width, 1), screen.height / Math.max(height, 1), 1);
  return { x: (width - screen.width / scale) / 2, y: (height - screen.height / scale) / 2, scale };
}

/** The same look so many times larger, with the point under the pointer where it was. */
export function zoomed(view: View, factor: number, at: { readonly x: number; readonly y: number }): View {
  const scale = clamped(view.scale * factor);
  return { x: view.x + at.x / view.scale - at.x / scale, y: view.y + at.y / view.scale - at.y / scale, scale };
}

/** Moved by CSS pixels, as a hand moves paper. */
export function moved(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale };
}

/** What of the picture is on the screen. */
export function seen({ x, y, scale }: View, { width, height }: Size): Rectangle {
  return { x, y, width: width / scale, height: height / scale };
}

function clamped(scale: number): number {
  return Math.min(Math.max(scale, scaleMin), scaleMax);
}

/** As it stands in an address: x, y, scale. */
export function viewText({ x, y, scale }: View): string {
  return `${Math.round(x)},${Math.round(y)},${Number(scale.toFixed(3))}`;
}

export function parseView(text: string | undefined): View | undefined {
  const [x, y, scale] = (text ?? "").split(",").map(Number);
  if (x === undefined || y === undefined || scale === undefined || ![x, y, scale].every(Number.isFinite))
    return undefined;
  return scale > 0 ? { x, y, scale: clamped(scale) } : undefined;
}
