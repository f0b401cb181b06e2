import { useMemo } from "react";
import type { Drawing } from "./picture/drawing.ts";
import type { GraphModel, Overview } from "./picture/graph-model.ts";
import type { GraphState } from "./picture/graph-state.ts";
import { type WayToGate, neighbourhood, waysToGates } from "./picture/paths.ts";
import { type Hit, focusScene, wholeScene } from "./picture/scene.ts";
import type { Hops } from "./parts/graph-toolbar.tsx";
import { useFogTexts } from "./use-fog-texts.ts";
import { usePalette } from "./use-palette.ts";

/** All that is drawn, each part anew only where it changed, and the ways from the chosen asset to the gates that hold it. */
export function useDrawing(props: {
  readonly model: GraphModel;
  readonly state: GraphState;
  readonly overview: Overview;
  readonly selected: number | undefined;
  readonly focus: number | undefined;
  readonly hops: Hops;
  readonly hit: Hit | undefined;
  readonly found: Uint8Array | undefined;
}): { readonly drawing: Drawing; readonly ways: readonly WayToGate[] } {
  const { model, state, overview, selected, focus, hops, hit, found } = props;
  const { up, down } = hops;
  const palette = usePalette();
  const fogTexts = useFogTexts(model, overview);
  const scene = useMemo(
    () =>
      focus === undefined ? wholeScene(model, overview) : focusScene(model, neighbourhood(model, focus, up, down)),
    [model, overview, focus, up, down],
  );
  const ways = useMemo(
    () => (selected === undefined ? [] : waysToGates(model, state, selected)),
    [model, state, selected],
  );
  const hovered = hit?.kind === "asset" ? hit.asset : undefined;
  const hoveredTeam = hit?.kind === "team" ? hit.team : undefined;
  const emphasis = useMemo(
    () => ({ selected, hovered, hoveredTeam, lit: new Set(ways.flatMap((way) => way.edges)), found }),
    [selected, hovered, hoveredTeam, ways, found],
  );
  const drawing = useMemo(
    () => ({ model, scene, state, emphasis, palette, fogTexts }),
    [model, scene, state, emphasis, palette, fogTexts],
  );
  return { drawing, ways };
}
