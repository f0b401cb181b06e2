/** 800 ms, 12.4 s, 1m 12s, 3h 05m, 2d 4h. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const two = (value: number) => String(value).padStart(2, "0");
  if (minutes < 60) return `${minutes}m ${two(seconds % 60)}s`;
  if (hours < 24) return `${hours}h ${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** just now, 12 s ago, 4 min ago, 3 h ago, 2 days ago; the same ahead with "in". */
export function agoText(ms: number): string {
  const [amount, unit] = coarse(Math.abs(ms));
  if (amount === 0) return "just now";
  const text = unit === "day" ? `${amount} day${amount === 1 ? "" : "s"}` : `${amount} ${unit}`;
  return ms < 0 ? `in ${text}` : `${text} ago`;
}

function coarse(ms: number): [number, string] {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 2) return [0, "s"];
  if (seconds < 60) return [seconds, "s"];
  if (seconds < 3_600) return [Math.floor(seconds / 60), "min"];
  if (seconds < 86_400) return [Math.floor(seconds / 3_600), "h"];
  return [Math.floor(seconds / 86_400), "day"];
}
