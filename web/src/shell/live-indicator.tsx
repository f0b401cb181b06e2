import { useLiveState } from "../live/live-state.ts";
import { agoText } from "../parts/duration-text.ts";
import { classes } from "../parts/classes.ts";
import { useNow } from "../parts/use-now.ts";
import styles from "./live-indicator.module.css";

/** Whether what is shown follows the control plane, and since when it does not. */
export function LiveIndicator() {
  const { connection, seq, sinceMs } = useLiveState();
  const nowMs = useNow();
  const text = connection === "live" ? "live" : connection === "connecting" ? "connecting" : "offline";
  const since = connection === "offline" ? ` ${agoText(nowMs - sinceMs)}` : "";
  return (
    <span
      className={classes(styles.indicator, styles[connection])}
      role="status"
      title={seq === undefined ? "No event yet" : `Newest event: ${seq}`}
    >
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        {connection === "live" ? (
          <circle cx="5" cy="5" r="4" fill="currentColor" />
        ) : (
          <circle cx="5" cy="5" r="3.5" fill="none" stroke="currentColor" strokeDasharray="2 1.5" />
        )}
      </svg>
      {text}
      {since}
    </span>
  );
}
