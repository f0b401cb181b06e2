import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { query } from "../api/queries.ts";
import type { GraphSearch } from "../app/search.ts";
import { isSelection, namedLike } from "./looked-for.ts";
import type { GraphModel } from "./picture/graph-model.ts";
import { assetsOfRuns } from "./picture/graph-state.ts";
import type { ChangeAddress } from "./use-address.ts";

/** The assets that are looked for: by a part of their key, by a selection, or what a gate holds back. */
export function useLookedFor(model: GraphModel, { sel, find }: GraphSearch) {
  const [blocked, setBlocked] = useState<readonly number[]>();
  const selection = useQuery({
    ...query("getGraphSelection", { query: { selection: sel ?? "" } }),
    enabled: sel !== undefined,
    placeholderData: keepPreviousData,
  });
  const chosen = selection.data?.hash === model.hash ? selection.data.assets : undefined;
  const found = useMemo(() => {
    if (sel !== undefined) return chosen === undefined ? undefined : marksOf(model, chosen);
    if (find !== undefined) return namedLike(model, find);
    return blocked === undefined ? undefined : marksOf(model, blocked);
  }, [model, sel, find, chosen, blocked]);
  return {
    found: selection.error === null || sel === undefined ? found : undefined,
    problem: sel === undefined ? null : selection.error,
    showBlocked: setBlocked,
    clear: () => setBlocked(undefined),
    /** A selection is read once it is entered; names are looked for letter by letter. */
    typed: (text: string, change: ChangeAddress) => {
      setBlocked(undefined);
      if (text === "") change({ sel: undefined, find: undefined }, true);
      else if (!isSelection(text, undefined)) change({ sel: undefined, find: text }, true);
    },
  };
}

function marksOf(model: GraphModel, runs: readonly number[]): Uint8Array {
  const marks = new Uint8Array(model.keys.length);
  for (const asset of assetsOfRuns(runs)) marks[asset] = 1;
  return marks;
}
