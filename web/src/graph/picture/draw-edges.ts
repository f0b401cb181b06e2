import { tile } from "@headgate/layout";
import { type Context, type Detail, type Drawing, type Look, detailAt, font } from "./drawing.ts";
import type { FittedText } from "./fitted-text.ts";
import { edgesOf } from "./graph-model.ts";
import type { Scene } from "./scene.ts";
import { type Rectangle, seen } from "./view.ts";

const dashes: readonly (readonly number[])[] = [[], [6, 4], [1.5, 4]];
/** How far a stub reaches, in units. */
const stubLength = 22;

/** Every edge that is in sight, those that matter last: shut ones heavy, those of what one points at in full. */
export function drawEdges(context: Context, drawing: Drawing, look: Look): void {
  const { model, scene, state, emphasis, palette } = drawing;
  const detail = detailAt(look.view.scale);
  const sight = seen(look.view, look.size);
  const plain: number[][] = [[], [], []];
  const faint: number[][] = [[], [], []];
  const shut: number[] = [];
  const pointed: number[] = [];
  const lit: number[] = [];
  for (let i = 0; i < scene.edges.length; i++) {
    const edge = scene.edges[i]!;
    const from = model.from[edge]!;
    const to = model.to[edge]!;
    const special = isPointedAt(drawing, from, to);
    if (!special && !emphasis.lit.has(edge) && isStub(drawing, i)) continue;
    if (!isInSight(scene, i, sight)) continue;
    const { found } = emphasis;
    if (emphasis.lit.has(edge)) lit.push(i);
    else if (state.shutEdge[edge] === 1) shut.push(i);
    else if (special) pointed.push(i);
    else if (found !== undefined && (found[from] === 0 || found[to] === 0)) faint[model.mode[edge]!]!.push(i);
    else plain[model.mode[edge]!]!.push(i);
  }
  const thin = detail === "boxes" ? 0.5 : detail === "tiles" ? 0.8 : 1.2;
  const batch = (lists: readonly (readonly number[])[], color: string, width: number, alpha = 1): void => {
    context.globalAlpha = alpha;
    context.strokeStyle = color;
    context.lineWidth = width;
    for (const [mode, edges] of lists.entries()) {
      if (edges.length === 0) continue;
      context.setLineDash([...(dashes[mode] ?? [])]);
      context.beginPath();
      for (const i of edges) traceEdge(context, scene, i, look);
      context.stroke();
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  };
  const byMode = (edges: readonly number[]) =>
    [0, 1, 2].map((m) => edges.filter((i) => model.mode[scene.edges[i]!] === m));
  batch(faint, palette.lineStrong, thin, 0.25);
  batch(plain, palette.lineStrong, thin);
  batch([shut], palette.tones.failed, detail === "boxes" || detail === "tiles" ? 1.5 : 2.5);
  batch(byMode(pointed), palette.accent, 2);
  batch([lit], palette.tones.blocked, 3);
  if (detail === "names" || detail === "cards") {
    drawHeads(context, drawing, look, plain.flat(), palette.lineStrong);
    drawHeads(context, drawing, look, shut, palette.tones.failed);
    drawHeads(context, drawing, look, pointed, palette.accent);
    drawHeads(context, drawing, look, lit, palette.tones.blocked);
  }
}

function isPointedAt({ emphasis: { selected, hovered } }: Drawing, from: number, to: number): boolean {
  return from === selected || to === selected || from === hovered || to === hovered;
}

function isStub({ model, scene }: Drawing, i: number): boolean {
  const edge = scene.edges[i]!;
  return scene.stubs && model.team[model.from[edge]!] !== model.team[model.to[edge]!];
}

function isInSight(scene: Scene, i: number, sight: Rectangle): boolean {
  const from = scene.from[i]!;
  const to = scene.to[i]!;
  const slack = tile.width;
  return (
    Math.max(scene.x[from]!, scene.x[to]!) + slack >= sight.x &&
    Math.min(scene.x[from]!, scene.x[to]!) <= sight.x + sight.width + slack &&
    Math.max(scene.y[from]!, scene.y[to]!) + slack >= sight.y &&
    Math.min(scene.y[from]!, scene.y[to]!) <= sight.y + sight.height + slack
  );
}

/** A curve from the right of one asset to the left of another, along the way that is kept free for long edges. */
function traceEdge(context: Context, scene: Scene, i: number, { view }: Look): void {
  const from = scene.from[i]!;
  const to = scene.to[i]!;
  let x = (scene.x[from]! + tile.width - view.x) * view.scale;
  let y = (scene.y[from]! + tile.height / 2 - view.y) * view.scale;
  context.moveTo(x, y);
  const curveTo = (toX: number, toY: number): void => {
    const reach = toX > x ? (toX - x) / 2 : Math.max((x - toX) / 4, 60 * view.scale);
    context.bezierCurveTo(x + reach, y, toX - reach, toY, toX, toY);
    x = toX;
    y = toY;
  };
  const ways = scene.passages.get(from) ?? [];
  for (let n = 0; n + 2 < ways.length && ways[n + 1]! <= scene.x[to]!; n += 3) {
    curveTo((ways[n]! - view.x) * view.scale, (ways[n + 2]! - view.y) * view.scale);
    x = (ways[n + 1]! - view.x) * view.scale;
    context.lineTo(x, y);
  }
  curveTo((scene.x[to]! - view.x) * view.scale, (scene.y[to]! + tile.height / 2 - view.y) * view.scale);
}

/** Small triangles where edges arrive. */
function drawHeads(context: Context, { scene }: Drawing, look: Look, edges: readonly number[], color: string): void {
  const { view } = look;
  const size = Math.min(Math.max(7 * view.scale, 4), 9);
  context.fillStyle = color;
  context.beginPath();
  for (const i of edges) {
    const x = (scene.x[scene.to[i]!]! - view.x) * view.scale;
    const y = (scene.y[scene.to[i]!]! + tile.height / 2 - view.y) * view.scale;
    context.moveTo(x, y);
    context.lineTo(x - size, y - size / 2);
    context.lineTo(x - size, y + size / 2);
    context.closePath();
  }
  context.fill();
}

/** Where edges to and from other teams end, with the name of what is there. */
export function drawStubs(context: Context, drawing: Drawing, look: Look, texts: FittedText): void {
  const { scene, palette } = drawing;
  const detail = detailAt(look.view.scale);
  if (!scene.stubs || detail === "boxes" || detail === "tiles") return;
  const { view } = look;
  const sight = seen(view, look.size);
  context.strokeStyle = context.fillStyle = palette.muted;
  context.lineWidth = 1.2;
  context.textBaseline = "middle";
  context.font = font(11);
  for (let i = 0; i < scene.assets.length; i++) {
    if (!isNear(scene, i, sight)) continue;
    const y = (scene.y[i]! + tile.height / 2 - view.y) * view.scale;
    const left = (scene.x[i]! - view.x) * view.scale;
    const right = left + tile.width * view.scale;
    const reach = stubLength * view.scale;
    drawStub(context, peersOf(drawing, i, "into"), detail, { at: left, end: left - reach, y, room: 0 }, texts);
    const room = (tile.columnGap - stubLength) * view.scale - 10;
    drawStub(context, peersOf(drawing, i, "outOf"), detail, { at: right, end: right + reach, y, room }, texts);
  }
}

interface StubPlace {
  readonly at: number;
  readonly end: number;
  readonly y: number;
  readonly room: number;
}

function drawStub(context: Context, peers: string, detail: Detail, place: StubPlace, texts: FittedText): void {
  if (peers === "") return;
  const { at, end, y, room } = place;
  context.beginPath();
  context.moveTo(at, y);
  context.lineTo(end, y);
  context.stroke();
  context.beginPath();
  context.arc(end, y, 2.5, 0, 2 * Math.PI);
  context.fill();
  if (detail === "cards" && room > 24) context.fillText(texts.fit(context, peers, room), end + 6, y);
}

/** The teams at the other ends of an asset's edges, apart from its own. */
function peersOf({ model, scene }: Drawing, i: number, side: "into" | "outOf"): string {
  const asset = scene.assets[i]!;
  const ends = side === "into" ? model.from : model.to;
  const teams = new Set<string>();
  for (const edge of edgesOf(model[side], asset)) {
    const team = model.team[ends[edge]!]!;
    if (team !== model.team[asset]) teams.add(model.teams[team]!);
  }
  return [...teams].join(", ");
}

function isNear(scene: Scene, i: number, sight: Rectangle): boolean {
  const x = scene.x[i]!;
  const y = scene.y[i]!;
  const wide = tile.width + tile.columnGap;
  return (
    x + wide >= sight.x &&
    x - tile.columnGap <= sight.x + sight.width &&
    y + tile.height >= sight.y &&
    y <= sight.y + sight.height
  );
}
