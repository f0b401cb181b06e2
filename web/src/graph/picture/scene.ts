import { focusLayout, tile } from "@headgate/layout";
import type { GraphModel, Overview } from "./graph-model.ts";
import type { Rectangle, Size } from "./view.ts";

export interface TeamBox extends Rectangle {
  /** Place in the model's teams. */
  readonly team: number;
  readonly assets: number;
}

export interface TeamEdge {
  /** Places among the boxes. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly back: boolean;
}

/** What is drawn and where: the whole graph in boxes of teams, or a few assets by themselves. */
export interface Scene extends Size {
  readonly kind: "all" | "focus";
  /** The assets that are drawn; what follows has an entry for each. */
  readonly assets: Int32Array;
  readonly x: Int32Array;
  readonly y: Int32Array;
  /** Edges of the model of which both ends are drawn, as places in `assets`. */
  readonly edges: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly passages: ReadonlyMap<number, ArrayLike<number>>;
  readonly boxes: readonly TeamBox[];
  readonly teamEdges: readonly TeamEdge[];
  /** Edges between teams end in a stub with the other's name, since all of them would cover the picture. */
  readonly stubs: boolean;
}

/** So many edges between teams can be drawn before they hide what they connect. */
const curvesMax = 120;

export function wholeScene(model: GraphModel, overview: Overview): Scene {
  const count = model.keys.length;
  const numbers = new Map(model.teams.map((team, i) => [team, i]));
  let crossing = 0;
  for (let e = 0; e < model.from.length; e++) {
    if (model.team[model.from[e]!] !== model.team[model.to[e]!]) crossing++;
  }
  return {
    kind: "all",
    width: overview.width,
    height: overview.height,
    assets: Int32Array.from({ length: count }, (_, i) => i),
    x: model.x,
    y: model.y,
    edges: Int32Array.from(model.from, (_, e) => e),
    from: model.from,
    to: model.to,
    passages: model.passages,
    boxes: overview.teams.map(({ team, ...box }) => ({ ...box, team: numbers.get(team) ?? 0 })),
    teamEdges: overview.edges,
    stubs: crossing > curvesMax,
  };
}

/** These assets alone, laid out anew. */
export function focusScene(model: GraphModel, assets: readonly number[]): Scene {
  const place = new Map(assets.map((asset, i) => [asset, i]));
  const edges: number[] = [];
  for (let e = 0; e < model.from.length; e++) {
    if (place.has(model.from[e]!) && place.has(model.to[e]!)) edges.push(e);
  }
  const from = Int32Array.from(edges, (e) => place.get(model.from[e]!)!);
  const to = Int32Array.from(edges, (e) => place.get(model.to[e]!)!);
  const layout = focusLayout({
    keys: assets.map((asset) => model.keys[asset]!),
    edges: edges.map((_, i) => [from[i]!, to[i]!]),
  });
  return {
    kind: "focus",
    ...layout,
    assets: Int32Array.from(assets),
    edges: Int32Array.from(edges),
    from,
    to,
    boxes: [],
    teamEdges: [],
    stubs: false,
  };
}

/** What lies under a point of the picture: an asset, else the box of a team. */
export type Hit = { readonly kind: "asset"; readonly asset: number } | { readonly kind: "team"; readonly team: number };

/** Looks at every rectangle: for 20,000 that is a tenth of a millisecond, and there is no index to keep. */
export function hitAt(scene: Scene, x: number, y: number): Hit | undefined {
  for (let i = 0; i < scene.assets.length; i++) {
    const left = scene.x[i]!;
    const top = scene.y[i]!;
    if (x >= left && x <= left + tile.width && y >= top && y <= top + tile.height) {
      return { kind: "asset", asset: scene.assets[i]! };
    }
  }
  const box = scene.boxes.find((one) => x >= one.x && x <= one.x + one.width && y >= one.y && y <= one.y + one.height);
  return box === undefined ? undefined : { kind: "team", team: box.team };
}

/** Where an asset stands; undefined if it is not drawn. */
export function placeOf(scene: Scene, asset: number): Rectangle | undefined {
  const i = scene.kind === "all" ? asset : scene.assets.indexOf(asset);
  const x = scene.x[i];
  const y = scene.y[i];
  return x === undefined || y === undefined ? undefined : { x, y, width: tile.width, height: tile.height };
}
