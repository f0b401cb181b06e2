import { useEffect } from "react";
import { useSettings } from "../settings/settings.ts";
import type { Hops } from "./parts/graph-toolbar.tsx";

/** Keys of the graph, beside those of the tree: single letters, which the settings switch off. */
export function useGraphKeys(acts: {
  readonly focus: (() => void) | undefined;
  readonly hops: Hops | undefined;
  readonly setHops: (hops: Hops) => void;
  readonly why: (() => void) | undefined;
  readonly fit: () => void;
  readonly back: () => void;
}): void {
  const { letterKeys } = useSettings();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const act = actOf(event, acts, letterKeys);
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  });
}

type Acts = Parameters<typeof useGraphKeys>[0];

function actOf(event: KeyboardEvent, acts: Acts, letterKeys: boolean): (() => void) | undefined {
  const { target, key } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  if (target instanceof HTMLElement && target.closest("input, textarea, select, [role=dialog]") !== null)
    return undefined;
  const { hops, setHops } = acts;
  if (key === "Escape") return acts.back;
  if (!letterKeys) return undefined;
  switch (key) {
    case "f":
      return acts.focus;
    case "[":
      return hops && (() => setHops({ up: Math.max(hops.up - 1, 0), down: Math.max(hops.down - 1, 1) }));
    case "]":
      return hops && (() => setHops({ up: Math.min(hops.up + 1, 20), down: Math.min(hops.down + 1, 20) }));
    case "w":
      return acts.why;
    case "0":
      return acts.fit;
    default:
      return undefined;
  }
}
