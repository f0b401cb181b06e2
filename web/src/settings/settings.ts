import { useSyncExternalStore } from "react";

/** What a person chose for this browser. */
export interface Settings {
  readonly theme: "system" | "light" | "dark";
  readonly density: "compact" | "comfortable";
  /** Keys of one letter, such as `g r`. Whoever dictates needs them off (WCAG 2.1.4). */
  readonly letterKeys: boolean;
  readonly times: "local" | "utc";
}

const storedAs = "headgate.settings";
const defaults: Settings = { theme: "system", density: "compact", letterKeys: true, times: "local" };

let current: Settings = { ...defaults, ...stored() };
const listeners = new Set<() => void>();

function stored(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(storedAs) ?? "{}") as Partial<Settings>;
  } catch {
    // What another version wrote is no reason not to start.
    return {};
  }
}

export function readSettings(): Settings {
  return current;
}

export function changeSettings(change: Partial<Settings>): void {
  current = { ...current, ...change };
  localStorage.setItem(storedAs, JSON.stringify(current));
  applySettings();
  for (const listener of listeners) listener();
}

/** Tells the style sheets. Before the first paint, so that nothing flashes. */
export function applySettings(): void {
  const { dataset } = document.documentElement;
  if (current.theme === "system") delete dataset["theme"];
  else dataset["theme"] = current.theme;
  dataset["density"] = current.density;
}

export function useSettings(): Settings {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
