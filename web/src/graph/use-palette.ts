import { useEffect, useState } from "react";
import { useSettings } from "../settings/settings.ts";
import { type Palette, readPalette } from "./picture/palette.ts";

/** The colours of the theme, also when it changes. */
export function usePalette(): Palette {
  const { theme } = useSettings();
  const [palette, setPalette] = useState(readPalette);
  useEffect(() => {
    setPalette(readPalette());
    const system = matchMedia("(prefers-color-scheme: dark)");
    const change = () => setPalette(readPalette());
    system.addEventListener("change", change);
    return () => system.removeEventListener("change", change);
  }, [theme]);
  return palette;
}
