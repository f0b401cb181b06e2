import { tile } from "@headgate/layout";
import { type Tone, inWords, partitionLooks } from "../../status/status-dictionary.ts";
import { assetLook } from "./asset-look.ts";
import { drawGate } from "./draw-gate.ts";
import { type Context, type Drawing, type Look, detailAt, font } from "./drawing.ts";
import type { FittedText } from "./fitted-text.ts";
import { statusOf } from "./graph-state.ts";
import type { Stamps } from "./stamps.ts";
import { seen } from "./view.ts";

/** What drawing keeps between pictures. */
export interface Tools {
  readonly stamps: Stamps;
  readonly texts: FittedText;
}

/** Every asset that is in sight, as much of it as the scale allows. */
export function drawAssets(context: Context, drawing: Drawing, look: Look, tools: Tools): void {
  const { scene, emphasis } = drawing;
  const detail = detailAt(look.view.scale);
  const sight = seen(look.view, look.size);
  const near = tile.columnGap;
  const visible: number[] = [];
  for (let i = 0; i < scene.assets.length; i++) {
    const x = scene.x[i]!;
    const y = scene.y[i]!;
    if (x + tile.width + near < sight.x || x > sight.x + sight.width) continue;
    if (y + tile.height + near < sight.y || y > sight.y + sight.height) continue;
    visible.push(i);
  }
  if (detail === "boxes" || look.bare === true) return drawBricks(context, drawing, look, visible);
  for (const i of visible) {
    const { found } = emphasis;
    context.globalAlpha = found !== undefined && found[scene.assets[i]!] === 0 ? 0.2 : 1;
    if (detail === "tiles") drawTile(context, drawing, look, i, tools);
    else drawCard(context, drawing, look, i, tools);
  }
  context.globalAlpha = 1;
}

/** From afar an asset is a brick in its tone; all of a tone at once. */
function drawBricks(context: Context, drawing: Drawing, look: Look, visible: readonly number[]): void {
  const { scene, state, palette, emphasis } = drawing;
  const { view } = look;
  const width = Math.max(tile.width * view.scale, 1);
  const height = Math.max(tile.height * view.scale, 1);
  for (const faint of [true, false]) {
    const byTone = new Map<Tone, number[]>();
    for (const i of visible) {
      const asset = scene.assets[i]!;
      if ((emphasis.found?.[asset] === 0) !== faint) continue;
      const { tone } = assetLook(state, asset);
      const list = byTone.get(tone);
      if (list === undefined) byTone.set(tone, [i]);
      else list.push(i);
    }
    for (const [tone, list] of byTone) {
      context.fillStyle = palette.tones[tone];
      context.globalAlpha = faint ? 0.08 : isLoud(tone) ? 1 : 0.45;
      context.beginPath();
      for (const i of list) {
        context.rect((scene.x[i]! - view.x) * view.scale, (scene.y[i]! - view.y) * view.scale, width, height);
      }
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

/** What must be found at a glance among thousands that are well. */
function isLoud(tone: Tone): boolean {
  return tone === "failed" || tone === "running" || tone === "warning" || tone === "blocked";
}

interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly radius: number;
}

function frameOf({ scene }: Drawing, { view }: Look, i: number): Frame {
  return {
    x: (scene.x[i]! - view.x) * view.scale,
    y: (scene.y[i]! - view.y) * view.scale,
    width: tile.width * view.scale,
    height: tile.height * view.scale,
    radius: Math.min(8 * view.scale, 8),
  };
}

function outline(context: Context, { x, y, width, height, radius }: Frame, grow = 0): void {
  context.beginPath();
  context.roundRect(x - grow, y - grow, width + 2 * grow, height + 2 * grow, radius + grow);
}

/** A coloured tile with its glyph. */
function drawTile(context: Context, drawing: Drawing, look: Look, i: number, { stamps }: Tools): void {
  const { scene, state, palette } = drawing;
  const asset = scene.assets[i]!;
  const { tone, glyph } = assetLook(state, asset);
  const color = palette.tones[tone];
  const frame = frameOf(drawing, look, i);
  const alpha = context.globalAlpha;
  outline(context, frame);
  context.fillStyle = palette.surface;
  context.fill();
  context.globalAlpha = alpha * (isLoud(tone) ? 0.32 : 0.14);
  context.fillStyle = color;
  context.fill();
  context.globalAlpha = alpha;
  if (tone === "blocked") {
    context.fillStyle = stamps.hatch(context, color);
    context.fill();
  }
  context.strokeStyle = color;
  context.lineWidth = tone === "failed" ? 1.6 : 0.8;
  context.stroke();
  const size = Math.min(frame.height * 0.66, 14);
  stamps.glyph(context, glyph, color, frame.x + frame.width / 2, frame.y + frame.height / 2, size, look.density);
  drawRing(context, drawing, asset, frame);
  drawGate(context, drawing, look, i, stamps, undefined);
}

/** A card with a name; close enough also with its status in words and how its partitions are. */
function drawCard(context: Context, drawing: Drawing, look: Look, i: number, { stamps, texts }: Tools): void {
  const { model, scene, state, palette, emphasis } = drawing;
  const asset = scene.assets[i]!;
  const frame = frameOf(drawing, look, i);
  const { tone, glyph } = assetLook(state, asset);
  const color = palette.tones[tone];
  const { scale } = look.view;
  const full = detailAt(scale) === "cards";
  outline(context, frame);
  context.fillStyle = asset === emphasis.selected ? palette.selected : palette.surface;
  context.fill();
  if (tone === "blocked") {
    context.fillStyle = stamps.hatch(context, color);
    context.fill();
  }
  drawBorder(context, drawing, asset, tone, color);
  const bar = Math.max(4 * scale, 3);
  context.save();
  outline(context, frame);
  context.clip();
  context.fillStyle = color;
  context.fillRect(frame.x, frame.y, bar, frame.height);
  if (full) drawPartitions(context, drawing, asset, frame, bar);
  context.restore();

  const glyphSize = full ? 15 * Math.min(scale, 1.2) : Math.min(Math.max(16 * scale, 10), 14);
  const inset = bar + 8 * scale;
  const nameY = full ? frame.y + frame.height * 0.34 : frame.y + frame.height / 2;
  stamps.glyph(context, glyph, color, frame.x + inset + glyphSize / 2, nameY, glyphSize, look.density);
  const textX = frame.x + inset + glyphSize + 6 * Math.min(scale, 1);
  const room = frame.x + frame.width - textX - 6 * scale;
  context.textBaseline = "middle";
  context.fillStyle = palette.text;
  context.font = font(full ? 13 * scale : Math.max(13 * scale, 10.5), 550);
  const name = scene.kind === "focus" && !full ? model.keys[asset]! : model.names[asset]!;
  onHatch(context, tone, palette.surface, () => context.fillText(texts.fit(context, name, room), textX, nameY));
  if (full) {
    context.font = font(11.5 * scale);
    context.fillStyle = tone === "passed" || tone === "idle" ? palette.muted : color;
    const line =
      scene.kind === "focus"
        ? `${model.teams[model.team[asset]!]} · ${statusText(drawing, asset)}`
        : statusText(drawing, asset);
    onHatch(context, tone, palette.surface, () =>
      context.fillText(texts.fit(context, line, room), textX, frame.y + frame.height * 0.68),
    );
  }
  drawRing(context, drawing, asset, frame);
  drawGate(context, drawing, look, i, stamps, full ? texts : undefined);
}

/** Text on stripes stands on a ground of its own. */
function onHatch(context: Context, tone: Tone, ground: string, write: () => void): void {
  if (tone === "blocked") {
    context.save();
    context.shadowColor = ground;
    context.shadowBlur = 4;
    for (let n = 0; n < 3; n++) write();
    context.restore();
  }
  write();
}

function drawBorder(context: Context, { state, palette }: Drawing, asset: number, tone: Tone, color: string): void {
  const loud = tone === "failed" || tone === "blocked" || tone === "running";
  context.strokeStyle = loud ? color : palette.lineStrong;
  context.lineWidth = tone === "failed" ? 2 : 1;
  if (state.fogged[asset] === 1) context.setLineDash([2, 3]);
  else if (tone === "blocked") context.setLineDash([5, 3]);
  context.stroke();
  context.setLineDash([]);
}

/** Around what is chosen, and around what is pointed at. */
function drawRing(context: Context, { emphasis, palette }: Drawing, asset: number, frame: Frame): void {
  if (asset !== emphasis.selected && asset !== emphasis.hovered) return;
  outline(context, frame, asset === emphasis.selected ? 3 : 1);
  context.strokeStyle = asset === emphasis.selected ? palette.focus : palette.accent;
  context.lineWidth = asset === emphasis.selected ? 2 : 1.5;
  context.stroke();
}

/** How an asset is, in words: what it says of itself, and how many partitions are how. */
export function statusText({ state }: Pick<Drawing, "state">, asset: number): string {
  if (!state.informed) return "";
  const counts = state.counts[asset] ?? [];
  const held = state.shaded[asset] === 1 ? "waits for a gate" : undefined;
  const own =
    counts.length > 2
      ? parts(counts)
          .map(([word, n]) => `${n} ${inWords(state.words[word] ?? "")}`)
          .join(" · ")
      : inWords(statusOf(state, asset));
  return held === undefined ? own : `${held} · ${own}`;
}

function parts(counts: readonly number[]): (readonly [word: number, count: number])[] {
  return Array.from({ length: counts.length / 2 }, (_, n) => [counts[2 * n]!, counts[2 * n + 1]!] as const);
}

/** A bar at the foot of the card: how its partitions are, by their number. */
function drawPartitions(
  context: Context,
  { state, palette }: Drawing,
  asset: number,
  frame: Frame,
  left: number,
): void {
  const counts = state.counts[asset] ?? [];
  if (counts.length <= 2) return;
  const all = parts(counts);
  const total = all.reduce((sum, [, count]) => sum + count, 0);
  const height = frame.height * 0.07;
  let x = frame.x + left;
  for (const [word, count] of all) {
    const width = ((frame.width - left) * count) / total;
    context.fillStyle = palette.tones[partitionLooks[state.words[word] ?? "neverMaterialized"].tone];
    context.fillRect(x, frame.y + frame.height - height, Math.max(width, 1.5), height);
    x += width;
  }
}
