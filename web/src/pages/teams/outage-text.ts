import type { ItemOf } from "../../api/answers.ts";

/** One sentence: who is down, and whom that concerns. A location that is down stops the work of its own team and no other. */
export function outageText(
  locations: readonly ItemOf<"listLocations">[],
  teams: readonly ItemOf<"listTeams">[],
): string {
  const down = locations.filter(({ state, removed }) => !removed && (state === "unreachable" || state === "refused"));
  const names = [...new Set(down.map(({ team }) => team))];
  if (names.length === 0) return locations.length === 0 ? "" : "Every code location answers.";
  const readers = new Set(
    teams.filter(({ team }) => names.includes(team)).flatMap((each) => each.readers.map(({ team }) => team)),
  );
  for (const name of names) readers.delete(name);
  const who =
    names.length === 1
      ? `${names[0] ?? ""} is down: only ${names[0] ?? ""} is affected.`
      : `${names.join(", ")} are down: only they are affected.`;
  if (readers.size === 0) return `${who} No other team reads their data.`;
  return `${who} ${[...readers].join(", ")} ${readers.size === 1 ? "reads" : "read"} what was validated before.`;
}
