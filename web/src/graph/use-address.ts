import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useRef } from "react";
import type { GraphSearch } from "../app/search.ts";
import { type View, viewText } from "./picture/view.ts";

export type ChangeAddress = (
  next: Partial<Record<keyof GraphSearch, string | number | undefined>>,
  replace?: boolean,
) => void;

/** What the address says of the page, and how it is changed: undefined takes a part away. */
export function useAddress(): { readonly search: GraphSearch; readonly change: ChangeAddress } {
  const search = useSearch({ from: "/graph" });
  const navigate = useNavigate({ from: "/graph" });
  const change = useCallback<ChangeAddress>(
    (next, replace = false) =>
      void navigate({
        search: (before) => {
          const after = Object.entries({ ...before, ...next }).filter(
            ([, value]) => value !== undefined && value !== "",
          );
          return Object.fromEntries(after);
        },
        replace,
      }),
    [navigate],
  );
  return { search, change };
}

/** The address follows the eye, but not each frame of it. */
const viewAfterMs = 400;

/** Returns what notes in the address where one looks; undefined: at all of it. */
export function useViewInAddress(known: string | undefined, change: ChangeAddress): (view: View | undefined) => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (view) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const text = view === undefined ? undefined : viewText(view);
      if (text !== known) change({ view: text }, true);
    }, viewAfterMs);
  };
}
