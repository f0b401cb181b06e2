import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { contrast, distance, distanceOfLab, linearOf, seenBy, type Vision } from "./color-vision.ts";

const css = readFileSync(new URL("../../web/src/style/tokens.css", import.meta.url), "utf8");
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name = "", light = "", dark = ""]) => [name, { light, dark }],
  ),
);

const themes = ["light", "dark"] as const;
const surfaces = ["bg", "bg-sunken", "bg-hover", "bg-selected"];
/** Of the status dictionary. `idle` and `unknown` are greys: their glyphs tell them apart. */
const tones = ["passed", "failed", "blocked", "running", "warning", "idle"];
const visions: readonly Vision[] = ["normal", "protan", "deutan", "tritan"];

function color(name: string, theme: "light" | "dark") {
  const found = tokens.get(name);
  if (found === undefined) throw new Error(`tokens.css has no colour --${name}`);
  return linearOf(found[theme]);
}

describe.each(themes)("the palette, %s", (theme) => {
  it("has a contrast of 4.5 or more for all text on every surface that it may lie on", () => {
    const texts = [...tones, "unknown", "text", "text-muted", "accent"];
    const low = texts.flatMap((text) =>
      surfaces.flatMap((surface) => {
        const ratio = contrast(color(text, theme), color(surface, theme));
        return ratio >= 4.5 ? [] : [`${text} on ${surface}: ${ratio.toFixed(2)}`];
      }),
    );
    expect(low).toEqual([]);
    expect(contrast(color("on-accent", theme), color("accent-fill", theme))).toBeGreaterThanOrEqual(4.5);
  });

  it("has a focus ring and borders of controls that stand out by 3 and by 1.5", () => {
    for (const surface of surfaces) {
      expect(contrast(color("focus", theme), color(surface, theme)), surface).toBeGreaterThanOrEqual(3);
    }
    expect(contrast(color("line-strong", theme), color("bg", theme))).toBeGreaterThanOrEqual(1.5);
  });

  it("keeps two states apart for every eye, and failed from blocked by far", () => {
    const near: string[] = [];
    for (const vision of visions) {
      for (const [i, a] of tones.entries()) {
        for (const b of tones.slice(i + 1)) {
          const apart = distance(seenBy(vision, color(a, theme)), seenBy(vision, color(b, theme)));
          const least = a === "failed" && b === "blocked" ? 25 : 10;
          if (apart < least) near.push(`${a} and ${b}, ${vision}: ${apart.toFixed(1)}`);
        }
      }
    }
    expect(near).toEqual([]);
  });
});

describe("the distance between colours", () => {
  // Of the table of test data that Sharma, Wu and Dalal publish with the formula.
  it.each([
    [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
    [[50, -1, 2], [50, 0, 0], 2.3669],
    [[50, 2.49, -0.001], [50, -2.49, 0.0011], 7.2195],
    [[50, 2.5, 0], [61, -5, 29], 22.8977],
    [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
  ] as const)("is what the authors of CIEDE2000 computed", (a, b, expected) => {
    expect(distanceOfLab(a, b)).toBeCloseTo(expected, 4);
  });
});
