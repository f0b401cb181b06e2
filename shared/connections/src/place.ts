import { ConnectionError } from "./connection-error.ts";
import type { ObjectReference } from "./object-store.ts";

/** The segments of a key or place. A reference comes from another process: nothing in it leads out of the store. */
export function placeSegments(place: string): string[] {
  const segments = place.split("/");
  for (const segment of segments) {
    if (segment === "" || segment === "." || segment === ".." || /[\0\\]/.test(segment)) {
      throw new ConnectionError("object_store.place_invalid", `${JSON.stringify(place)} is no place of an object`);
    }
  }
  return segments;
}

/** Refuses a reference of another scheme, and one without a digest: nothing is read unverified. */
export function checkReference(
  store: { readonly scheme: string; readonly location: string },
  object: ObjectReference,
): void {
  if (object.scheme !== store.scheme) {
    throw new ConnectionError(
      "object_store.scheme_mismatch",
      `${object.place} is in a store of scheme ${object.scheme}, and ${store.location} is one of scheme ${store.scheme}`,
    );
  }
  if (!/^sha256:[0-9a-f]{64}$/.test(object.digest)) {
    throw new ConnectionError(
      "object_store.digest_mismatch",
      `${object.place} comes with the digest ${JSON.stringify(object.digest)}, which cannot be verified`,
    );
  }
}
