import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { tinykeys } from "tinykeys";
import { useSettings } from "../settings/settings.ts";
import { destinations } from "./navigation.ts";
import type { Overlay } from "./overlay.ts";
import { switchTheme } from "./theme-button.tsx";

/** True where a letter is text, or belongs to a dialog that is open. */
function isTyping({ target }: KeyboardEvent): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.closest("input, textarea, select, [role=dialog]") !== null)
  );
}

/** Puts the focus into the filter of the page, if it has one. */
function focusFilter(): void {
  document.querySelector<HTMLInputElement>("[data-page-filter]")?.focus();
}

/** The keys that work on every page. Those of one letter can be switched off in the settings. */
export function useKeys(open: (overlay: Overlay) => void): void {
  const navigate = useNavigate();
  const { letterKeys } = useSettings();
  useEffect(() => {
    const letter = (act: () => void) => (event: KeyboardEvent) => {
      if (isTyping(event)) return;
      event.preventDefault();
      act();
    };
    const letters = {
      "/": letter(focusFilter),
      // Where "?" is without Shift depends on the keyboard.
      "?": letter(() => open("keys")),
      "Shift+?": letter(() => open("keys")),
      t: letter(switchTheme),
      y: letter(() => void navigator.clipboard.writeText(location.href)),
      ...Object.fromEntries(destinations.map(({ key, to }) => [`g ${key}`, letter(() => void navigate({ to }))])),
    };
    return tinykeys(window, {
      "$mod+k": (event) => {
        event.preventDefault();
        open("palette");
      },
      ...(letterKeys ? letters : {}),
    });
  }, [letterKeys, navigate, open]);
}
