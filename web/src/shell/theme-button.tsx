import { Moon, Sun } from "lucide-react";
import { changeSettings, readSettings, useSettings } from "../settings/settings.ts";
import { Button } from "../parts/button.tsx";

function isDark(theme: "system" | "light" | "dark"): boolean {
  return theme === "system" ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
}

/** From light to dark and back. */
export function switchTheme(): void {
  changeSettings({ theme: isDark(readSettings().theme) ? "light" : "dark" });
}

export function ThemeButton() {
  const dark = isDark(useSettings().theme);
  return (
    <Button kind="quiet" aria-label={dark ? "Light theme" : "Dark theme"} onClick={switchTheme}>
      {dark ? <Sun size={16} /> : <Moon size={16} />}
    </Button>
  );
}
