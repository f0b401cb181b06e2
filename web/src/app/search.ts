/*
 * What pages keep in their address. Read leniently: an address that somebody shortened by hand opens the page and not
 * an error.
 */

type Search = Readonly<Record<string, unknown>>;
type Texts<K extends string> = { readonly [P in K]?: string };

/** The named fields that hold text. The router reads `2001` as a number, and a partition may be called that. */
function texts<K extends string>(search: Search, ...names: readonly K[]): Texts<K> {
  const found: { [P in K]?: string } = {};
  for (const name of names) {
    const value = search[name];
    if (typeof value === "number" || (typeof value === "string" && value !== "")) found[name] = String(value);
  }
  return found;
}

function ordinals<K extends string>(search: Search, ...names: readonly K[]): { readonly [P in K]?: number } {
  const found: { [P in K]?: number } = {};
  for (const name of names) {
    const value = Number(search[name]);
    if (search[name] !== undefined && Number.isSafeInteger(value) && value >= 0) found[name] = value;
  }
  return found;
}

function oneOf<K extends string, V extends string>(
  search: Search,
  name: K,
  values: readonly V[],
): { readonly [P in K]?: V } {
  const value = values.find((known) => known === search[name]);
  return value === undefined ? {} : ({ [name]: value } as { [P in K]: V });
}

/**
 * `sel`: a selection, in the language of the command line. `find`: a part of the keys that are looked for. `at`: the
 * asset that is chosen. `focus`: the one that is shown with what is `up` and `down` from it. `view`: where one looks.
 */
export const graphSearch = (search: Search) => ({
  ...texts(search, "sel", "find", "at", "focus", "view"),
  ...ordinals(search, "up", "down"),
});

export type GraphSearch = ReturnType<typeof graphSearch>;

export const runsSearch = (search: Search) => texts(search, "state", "source", "asset");

export const runTabs = ["logs", "events", "data", "config"] as const;
export const logStreams = ["stdout", "stderr", "log"] as const;

/** `step` and `attempt` choose whose logs and data are shown, `line` marks one line of the log. */
export const runSearch = (search: Search) => ({
  ...ordinals(search, "step", "attempt", "line"),
  ...oneOf(search, "tab", runTabs),
  ...oneOf(search, "stream", logStreams),
});

export const selectionSearch = (search: Search) => texts(search, "sel");

export const assetTabs = ["overview", "checks", "versions", "lineage", "automation", "runs", "definition"] as const;

export const assetSearch = (search: Search) => ({
  ...texts(search, "partition", "version"),
  ...oneOf(search, "tab", assetTabs),
});

export const launchSearch = (search: Search) => texts(search, "sel", "partitions");
