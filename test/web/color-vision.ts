/*
 * Colours as eyes see them: contrast by WCAG 2.2, distance by CIEDE2000 (Sharma, Wu, Dalal 2005), colour blindness by
 * the matrices of Machado, Oliveira and Fernandes 2009 at full severity.
 */
export type Vector = readonly [number, number, number];

export type Vision = "normal" | "protan" | "deutan" | "tritan";

const blindness: Readonly<Record<Exclude<Vision, "normal">, readonly [Vector, Vector, Vector]>> = {
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** Linear light, 0 to 1, of #rrggbb. */
export function linearOf(hex: string): Vector {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return [r, g, b];
}

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

export function seenBy(vision: Vision, color: Vector): Vector {
  if (vision === "normal") return color;
  const clip = (value: number) => Math.min(1, Math.max(0, value));
  const [r, g, b] = blindness[vision];
  return [clip(dot(r, color)), clip(dot(g, color)), clip(dot(b, color))];
}

/** 1 to 21. */
export function contrast(a: Vector, b: Vector): number {
  const luminance = (color: Vector) => dot([0.2126, 0.7152, 0.0722], color);
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

function labOf(color: Vector): Vector {
  const white: Vector = [0.95047, 1, 1.08883];
  const [x, y, z] = [
    dot([0.4124564, 0.3575761, 0.1804375], color) / white[0],
    dot([0.2126729, 0.7151522, 0.072175], color) / white[1],
    dot([0.0193339, 0.119192, 0.9503041], color) / white[2],
  ].map((t) => (t > 216 / 24_389 ? Math.cbrt(t) : (24_389 / 27) * (t / 116) + 16 / 116)) as unknown as Vector;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** CIEDE2000 between two colours; about 1 is just noticeable. */
export function distance(first: Vector, second: Vector): number {
  return distanceOfLab(labOf(first), labOf(second));
}

const rad = Math.PI / 180;

export function distanceOfLab([l1, a1, b1]: Vector, [l2, a2, b2]: Vector): number {
  const chromaMean = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2;
  const g = 0.5 * (1 - Math.sqrt(chromaMean ** 7 / (chromaMean ** 7 + 25 ** 7)));
  const [ap1, ap2] = [a1 * (1 + g), a2 * (1 + g)];
  const [c1, c2] = [Math.hypot(ap1, b1), Math.hypot(ap2, b2)];
  const hue = (a: number, b: number) => (a === 0 && b === 0 ? 0 : (Math.atan2(b, a) / rad + 360) % 360);
  const [h1, h2] = [hue(ap1, b1), hue(ap2, b2)];
  const grey = c1 * c2 === 0;
  const apart = grey ? 0 : ((h2 - h1 + 540) % 360) - 180;
  const dh = 2 * Math.sqrt(c1 * c2) * Math.sin((apart / 2) * rad);
  const l = (l1 + l2) / 2;
  const c = (c1 + c2) / 2;
  const h = grey ? h1 + h2 : Math.abs(h1 - h2) <= 180 ? (h1 + h2) / 2 : (h1 + h2 + (h1 + h2 < 360 ? 360 : -360)) / 2;
  const t =
    1 -
    0.17 * Math.cos((h - 30) * rad) +
    0.24 * Math.cos(2 * h * rad) +
    0.32 * Math.cos((3 * h + 6) * rad) -
    0.2 * Math.cos((4 * h - 63) * rad);
  const sl = 1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2);
  const sc = 1 + 0.045 * c;
  const sh = 1 + 0.015 * c * t;
  const turn = 2 * Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7)) * Math.sin(60 * Math.exp(-(((h - 275) / 25) ** 2)) * rad);
  const [dl, dc, dhh] = [(l2 - l1) / sl, (c2 - c1) / sc, dh / sh];
  return Math.sqrt(dl ** 2 + dc ** 2 + dhh ** 2 - turn * dc * dhh);
}
