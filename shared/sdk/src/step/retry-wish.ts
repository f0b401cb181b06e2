import type { Finished } from "@headgate/proto";

const retryAfterMsMax = 31 * 86_400_000;

/** What thrown code asked for. Told by name, so that a second copy of this package in a bundle does no harm. */
export function retryWish(error: unknown): Pick<Finished, "permanent"> & { readonly retryAfterMs?: number } {
  const { name, delayMs } = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  if (name === "Permanent") return { permanent: true };
  if (name === "RetryLater" && typeof delayMs === "number" && Number.isFinite(delayMs)) {
    return { permanent: false, retryAfterMs: Math.min(Math.max(0, Math.round(delayMs)), retryAfterMsMax) };
  }
  return { permanent: false };
}
