import type { ReceivedDefinition } from "../domain/manifest.ts";
import type { StoredDefinitions } from "./definition-rows.ts";
import type { FirstSeenAs } from "./next-definitions.ts";

/**
 * When the team's definitions were first seen under a former key of their asset. A check that is for new versions only
 * would otherwise exempt all that was made before the rename.
 */
export function firstSeenAs(
  { locations, renames }: Pick<StoredDefinitions, "locations" | "renames">,
  team: string,
  received: ReadonlyMap<string, ReceivedDefinition>,
): FirstSeenAs {
  const formerOf = new Map<string, string[]>();
  const add = (key: string, former: string) => void formerOf.set(key, [...(formerOf.get(key) ?? []), former]);
  for (const [old, { key }] of renames) add(key, old);
  for (const entry of received.values()) {
    if (!entry.ok || entry.definition.kind !== "asset") continue;
    const { key, formerly } = entry.definition;
    if (formerly !== undefined) add(key, formerly);
  }
  if (formerOf.size === 0) return () => undefined;
  const seen = new Map<string, number>();
  for (const location of locations) {
    if (location.team !== team) continue;
    for (const { kind, key, firstSeenMs } of location.rows) {
      const place = `${kind} ${key}`;
      seen.set(place, Math.min(seen.get(place) ?? Infinity, firstSeenMs));
    }
  }
  return (kind, key) => {
    const at = kind === "check" ? key.indexOf("@") : key.length;
    const times = (formerOf.get(key.slice(0, at)) ?? []).flatMap(
      (former) => seen.get(`${kind} ${former}${key.slice(at)}`) ?? [],
    );
    return times.length === 0 ? undefined : Math.min(...times);
  };
}
