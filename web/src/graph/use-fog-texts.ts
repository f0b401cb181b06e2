import { useEffect, useMemo, useState } from "react";
import { agoText } from "../parts/duration-text.ts";
import type { GraphModel, Overview } from "./picture/graph-model.ts";

const fogTextsEveryMs = 30_000;

/** What is said over teams of which no asset is news: since when. */
export function useFogTexts(model: GraphModel, { locations }: Overview): ReadonlyMap<number, string> {
  const [nowMs, setNowMs] = useState(() => Date.now());
  const away = locations.some(({ state }) => state === "unreachable");
  useEffect(() => {
    if (!away) return undefined;
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), fogTextsEveryMs);
    return () => clearInterval(timer);
  }, [away]);
  return useMemo(() => {
    const texts = new Map<number, string>();
    for (const [team, name] of model.teams.entries()) {
      const own = locations.filter((location) => location.team === name);
      if (own.length === 0 || own.some((location) => location.state !== "unreachable")) continue;
      const last = Math.max(...own.map(({ lastSeenAt }) => (lastSeenAt === null ? 0 : Date.parse(lastSeenAt))));
      texts.set(team, last === 0 ? "never reached" : `not reached, last known ${agoText(nowMs - last)}`);
    }
    return texts;
  }, [model, locations, nowMs]);
}
