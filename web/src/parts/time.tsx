import { useSettings } from "../settings/settings.ts";
import { agoText, durationText } from "./duration-text.ts";
import { useNow } from "./use-now.ts";

/** How long ago; the moment itself, with its zone, on hover. */
export function Ago({ at }: { readonly at: string }) {
  const { times } = useSettings();
  return (
    <time dateTime={at} title={momentText(at, times)}>
      {agoText(useNow() - Date.parse(at))}
    </time>
  );
}

/** From one moment to another, or until now. */
export function Lasted({ from, to }: { readonly from: string; readonly to: string | null }) {
  const nowMs = useNow();
  return <>{durationText((to === null ? nowMs : Date.parse(to)) - Date.parse(from))}</>;
}

/** The moment, to the second: 2026-12-01 06:41:33. */
export function momentText(at: string, zone: "local" | "utc"): string {
  const date = new Date(at);
  if (zone === "utc") return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const parts = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" }).format(date);
  const offset = new Intl.DateTimeFormat("en", { timeZoneName: "shortOffset" }).formatToParts(date);
  return `${parts} ${offset.find(({ type }) => type === "timeZoneName")?.value ?? ""}`;
}

export function Moment({ at }: { readonly at: string }) {
  const { times } = useSettings();
  return <time dateTime={at}>{momentText(at, times)}</time>;
}
