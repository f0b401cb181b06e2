import { tile } from "@headgate/layout";
import { type Context, type Drawing, type Look, detailAt, font } from "./drawing.ts";
import type { FittedText } from "./fitted-text.ts";
import { gateStateOf } from "./graph-state.ts";
import type { Stamps } from "./stamps.ts";

/**
 * The gate on an asset's way out. Open: two bars apart. A check has still to speak: two bars half way together. Closed:
 * crossed bars, a lock, and close enough the names of the checks.
 */
export function drawGate(
  context: Context,
  drawing: Drawing,
  look: Look,
  i: number,
  stamps: Stamps,
  texts: FittedText | undefined,
): void {
  const { scene, state, palette } = drawing;
  const asset = scene.assets[i]!;
  const gate = gateStateOf(state, asset);
  const { view } = look;
  const near = detailAt(view.scale) !== "tiles";
  if (gate === "none" || (gate === "open" && !near)) return;
  const scale = Math.min(Math.max(view.scale, 0.45), 1.2);
  const x = (scene.x[i]! + tile.width - view.x) * view.scale + 9 * scale;
  const y = (scene.y[i]! + tile.height / 2 - view.y) * view.scale;
  const reach = 9 * scale;
  context.lineCap = "round";
  if (gate === "closed") {
    const color = palette.tones.failed;
    context.strokeStyle = color;
    context.lineWidth = 2.4 * scale;
    context.beginPath();
    context.moveTo(x - reach * 0.6, y - reach);
    context.lineTo(x + reach * 0.6, y + reach);
    context.moveTo(x + reach * 0.6, y - reach);
    context.lineTo(x - reach * 0.6, y + reach);
    context.stroke();
    const lock = 15 * scale;
    const lockX = x + reach * 0.6 + lock * 0.75;
    context.fillStyle = palette.ground;
    context.beginPath();
    context.arc(lockX, y, lock * 0.72, 0, 2 * Math.PI);
    context.fill();
    stamps.glyph(context, "lock", color, lockX, y, lock, look.density);
    if (texts !== undefined)
      writeChecks(context, drawing, asset, { x: x - reach * 0.6, y: y + reach + 9 * scale, scale }, texts);
  } else {
    context.strokeStyle = gate === "open" ? palette.muted : palette.tones.running;
    context.lineWidth = 2 * scale;
    const apart = gate === "open" ? 2.6 * scale : 1.5 * scale;
    context.beginPath();
    for (const side of [-1, 1]) {
      context.moveTo(x + side * apart, y - reach * 0.8);
      context.lineTo(x + side * apart, y + reach * 0.8);
    }
    context.stroke();
  }
  context.lineCap = "butt";
}

function writeChecks(
  context: Context,
  { state, palette }: Drawing,
  asset: number,
  at: { readonly x: number; readonly y: number; readonly scale: number },
  texts: FittedText,
): void {
  const checks = state.gateAt.get(asset)?.checks ?? [];
  const [first] = checks;
  if (first === undefined) return;
  context.font = font(11 * at.scale, 600);
  context.textBaseline = "middle";
  const more = checks.length > 1 ? ` +${checks.length - 1}` : "";
  const text = texts.fit(context, `${first.name}${more}`, (tile.columnGap + 30) * at.scale);
  const width = context.measureText(text).width;
  context.fillStyle = palette.ground;
  context.globalAlpha = 0.85;
  context.fillRect(at.x - 2, at.y - 7 * at.scale, width + 4, 14 * at.scale);
  context.globalAlpha = 1;
  context.fillStyle = palette.tones.failed;
  context.fillText(text, at.x, at.y);
}
