import { useSyncExternalStore } from "react";

/** How true what is shown is. */
export interface LiveState {
  readonly connection: "connecting" | "live" | "offline";
  /** Of the newest event that came; undefined: none yet. */
  readonly seq: number | undefined;
  /** Unix milliseconds: since when the connection is what it is. */
  readonly sinceMs: number;
}

let state: LiveState = { connection: "connecting", seq: undefined, sinceMs: Date.now() };
const listeners = new Set<() => void>();

export function setLiveState(change: Partial<LiveState>): void {
  const moved = change.connection !== undefined && change.connection !== state.connection;
  state = { ...state, ...change, ...(moved ? { sinceMs: Date.now() } : {}) };
  for (const listener of listeners) listener();
}

export function readLiveState(): LiveState {
  return state;
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
