import { boxPadding } from "@headgate/layout";
import type { Glyph, Tone } from "../../status/status-dictionary.ts";
import { assetLook } from "./asset-look.ts";
import type { Tools } from "./draw-assets.ts";
import { type Context, type Drawing, type Look, detailAt, font } from "./drawing.ts";
import type { TeamBox } from "./scene.ts";
import type { Rectangle } from "./view.ts";

/** The order in which a bar shows how many assets of a team are how. */
const toneOrder: readonly Tone[] = ["failed", "blocked", "warning", "running", "passed", "idle", "unknown"];
/** So many edges between teams can be told apart; of more only the weightiest of each team are drawn. */
const teamEdgesMax = 40;
const weightiest = 2;

/** What is counted on the sign of a team, beside how many assets it has. */
const loudOnes: readonly { readonly tone: Tone; readonly glyph: Glyph }[] = [
  { tone: "failed", glyph: "octagon" },
  { tone: "blocked", glyph: "lock" },
];

type Tally = Readonly<Record<Tone, number>>;

/** How many assets of each team are how. */
export function tallies({ model, scene, state }: Pick<Drawing, "model" | "scene" | "state">): Tally[] {
  const all = model.teams.map(() => ({
    failed: 0,
    blocked: 0,
    warning: 0,
    running: 0,
    passed: 0,
    idle: 0,
    unknown: 0,
  }));
  for (const asset of scene.assets) all[model.team[asset]!]![assetLook(state, asset).tone]++;
  return all;
}

function onScreen({ x, y, width, height }: Rectangle, { view }: Look): Rectangle {
  return {
    x: (x - view.x) * view.scale,
    y: (y - view.y) * view.scale,
    width: width * view.scale,
    height: height * view.scale,
  };
}

/** The grounds of the teams, beneath edges and assets. */
export function drawGrounds(context: Context, { scene, palette, emphasis }: Drawing, look: Look): void {
  for (const box of scene.boxes) {
    const { x, y, width, height } = onScreen(box, look);
    if (x > look.size.width || y > look.size.height || x + width < 0 || y + height < 0) continue;
    context.beginPath();
    context.roundRect(x, y, width, height, Math.max(12 * look.view.scale, 4));
    context.fillStyle = palette.surface;
    context.fill();
    context.strokeStyle = box.team === emphasis.hoveredTeam ? palette.accent : palette.line;
    context.lineWidth = box.team === emphasis.hoveredTeam ? 2 : 1;
    context.stroke();
  }
}

/** Names of the teams and how their assets are: in the box's head, or from afar across it. */
export function drawHeads(context: Context, drawing: Drawing, look: Look, tools: Tools): void {
  const { scene } = drawing;
  const all = tallies(drawing);
  for (const box of scene.boxes) {
    const place = onScreen(box, look);
    if (place.x > look.size.width || place.y > look.size.height) continue;
    if (place.x + place.width < 0 || place.y + place.height < 0) continue;
    if (detailAt(look.view.scale) === "boxes") drawSign(context, drawing, look, box, place, all[box.team]!, tools);
    else drawTitle(context, drawing, look, box, place, all[box.team]!, tools);
    drawFog(context, drawing, look, box, place, tools);
  }
}

/** From afar: a small sign in the corner of the box, so that its assets stay in sight, and a bar along the top. */
function drawSign(
  context: Context,
  drawing: Drawing,
  look: Look,
  box: TeamBox,
  place: Rectangle,
  tally: Tally,
  { stamps, texts }: Tools,
): void {
  const { model, palette } = drawing;
  const inset = place.width < 90 ? 1 : 4;
  const height = 19;
  const room = place.width - 2 * inset;
  if (place.height < height + 2 * inset) return;
  const counts = [String(box.assets), ...loudOnes.map(({ tone }) => String(tally[tone]))];
  context.font = font(11);
  const countWidth = context.measureText(counts[0] ?? "").width;
  const narrow = place.width < 90;
  context.font = font(narrow ? 11 : 12.5, 600);
  context.textBaseline = "middle";
  const title = texts.fit(context, model.teams[box.team]!, room - 12 - (room > 90 ? countWidth + 6 : 0));
  if (title === "") return;
  const titleWidth = context.measureText(title).width;
  const x = place.x + inset;
  const y = place.y + inset;
  const parts: { readonly width: number; readonly write: (at: number) => void }[] = [];
  if (room > 90) {
    parts.push({ width: countWidth + 6, write: (at) => context.fillText(counts[0] ?? "", at, y + height / 2 + 0.5) });
  }
  for (const [n, { tone, glyph }] of loudOnes.entries()) {
    if (tally[tone] === 0) continue;
    const text = counts[n + 1] ?? "";
    const width = 24 + 6 * text.length;
    parts.push({
      width,
      write: (at) => {
        stamps.glyph(context, glyph, palette.tones[tone], at + 9, y + height / 2, 11, look.density);
        context.fillStyle = palette.tones[tone];
        context.fillText(text, at + 17, y + height / 2 + 0.5);
      },
    });
  }
  const fitting: typeof parts = [];
  let width = titleWidth + 12;
  for (const part of parts) {
    if (width + part.width > room) break;
    fitting.push(part);
    width += part.width;
  }
  context.beginPath();
  context.roundRect(x, y, width, height, 4);
  context.fillStyle = palette.surface;
  context.globalAlpha = 0.92;
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = palette.text;
  context.fillText(title, x + 6, y + height / 2 + 0.5);
  context.font = font(11);
  let at = x + 6 + titleWidth + 6;
  for (const part of fitting) {
    context.fillStyle = palette.muted;
    part.write(at);
    at += part.width;
  }
  drawBar(context, drawing, tally, { x: place.x + 3, y: place.y, width: place.width - 6, height: 3 });
}

function factsOf({ assets }: TeamBox, { failed, blocked }: Tally): string {
  const wrong = [failed > 0 ? `${failed} failed` : "", blocked > 0 ? `${blocked} blocked` : ""];
  return [assets === 1 ? "1 asset" : `${assets} assets`, ...wrong.filter((part) => part !== "")].join(" · ");
}

/** In the head of the box: name, how many, a bar. The name stays in sight while some of the box is. */
function drawTitle(
  context: Context,
  drawing: Drawing,
  look: Look,
  box: TeamBox,
  place: Rectangle,
  tally: Tally,
  { texts }: Tools,
): void {
  const { model, palette } = drawing;
  const { scale } = look.view;
  const px = Math.min(Math.max(18 * scale, 12), 20);
  const head = boxPadding.top * scale;
  const side = Math.max(boxPadding.side * scale, 6);
  const left = Math.min(Math.max(place.x + side, 12), place.x + place.width - side - 40);
  const y = place.y + head / 2;
  context.textBaseline = "middle";
  context.font = font(px, 650);
  context.fillStyle = palette.text;
  const room = place.x + place.width - side - left;
  const title = texts.fit(context, model.teams[box.team]!, room);
  context.fillText(title, left, y);
  const after = left + context.measureText(title).width + 10;
  context.font = font(Math.min(Math.max(12 * scale, 11), 13));
  context.fillStyle = palette.muted;
  const facts = texts.fit(context, factsOf(box, tally), place.x + place.width - side - after);
  context.fillText(facts, after, y + 1);
  drawBar(context, drawing, tally, { x: place.x + 6, y: place.y, width: place.width - 12, height: 3 });
}

function drawBar(context: Context, { palette }: Drawing, tally: Tally, { x, y, width, height }: Rectangle): void {
  // Until statuses came there is nothing to tell apart.
  const total = toneOrder.reduce((sum, tone) => sum + tally[tone], 0);
  let at = x;
  for (const tone of toneOrder) {
    if (tally[tone] === 0) continue;
    const part = (width * tally[tone]) / total;
    context.fillStyle = palette.tones[tone];
    context.fillRect(at, y, Math.max(part, 2), height);
    at += part;
  }
}

/** A veil over a team that is not reached, and since when what is shown of it is not news. */
function drawFog(
  context: Context,
  { fogTexts, palette }: Drawing,
  look: Look,
  box: TeamBox,
  place: Rectangle,
  { stamps, texts }: Tools,
): void {
  const text = fogTexts.get(box.team);
  if (text === undefined) return;
  context.beginPath();
  context.roundRect(place.x, place.y, place.width, place.height, Math.max(12 * look.view.scale, 4));
  context.fillStyle = palette.ground;
  context.globalAlpha = 0.45;
  context.fill();
  context.globalAlpha = 1;
  context.setLineDash([2, 4]);
  context.strokeStyle = palette.tones.unknown;
  context.lineWidth = 2;
  context.stroke();
  context.setLineDash([]);
  const px = 12;
  context.font = font(px, 600);
  context.textBaseline = "middle";
  const fitted = texts.fit(context, place.width < 220 ? "not reached" : text, place.width - 40);
  if (fitted === "" || place.height < 40) return;
  const width = context.measureText(fitted).width + 34;
  const x = place.x + place.width - width - 6;
  const y = place.y + place.height - 26;
  context.beginPath();
  context.roundRect(x, y, width, 20, 10);
  context.fillStyle = palette.surface;
  context.fill();
  context.strokeStyle = palette.tones.unknown;
  context.lineWidth = 1;
  context.stroke();
  stamps.glyph(context, "question", palette.tones.unknown, x + 13, y + 10, 12, look.density);
  context.fillStyle = palette.text;
  context.fillText(fitted, x + 24, y + 10.5);
}

/**
 * Edges between boxes, as they are seen from afar: the more, the heavier. They lie under the boxes, but for those of the
 * team that is pointed at, which are all drawn.
 */
export function drawTeamEdges(context: Context, drawing: Drawing, look: Look, which: "others" | "pointed"): void {
  const { scene, palette, emphasis } = drawing;
  if (detailAt(look.view.scale) !== "boxes") return;
  const few = scene.teamEdges.length <= teamEdgesMax;
  const drawnFrom = new Map<number, number>();
  const byWeight = [...scene.teamEdges].sort((a, b) => b.count - a.count);
  for (const edge of byWeight) {
    const from = scene.boxes[edge.from];
    const to = scene.boxes[edge.to];
    if (from === undefined || to === undefined) continue;
    const pointed = from.team === emphasis.hoveredTeam || to.team === emphasis.hoveredTeam;
    const rank = drawnFrom.get(edge.from) ?? 0;
    if (!pointed && !few && (rank >= weightiest || edge.back)) continue;
    drawnFrom.set(edge.from, rank + 1);
    if (pointed !== (which === "pointed")) continue;
    const a = onScreen(from, look);
    const b = onScreen(to, look);
    const x = a.x + a.width;
    const y = a.y + a.height / 2;
    const toY = b.y + b.height / 2;
    const reach = Math.max(Math.abs(b.x - x) / 2, 24);
    context.strokeStyle = pointed ? palette.accent : palette.lineStrong;
    context.globalAlpha = pointed ? 0.9 : 0.7;
    context.lineWidth = Math.min(1 + Math.log2(edge.count + 1) / 2, 5);
    context.setLineDash(edge.back ? [6, 5] : []);
    context.beginPath();
    context.moveTo(x, y);
    context.bezierCurveTo(x + reach, y, b.x - reach, toY, b.x, toY);
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}
