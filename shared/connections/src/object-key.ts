import { createHash } from "node:crypto";

/** Bytes that one encoded segment may have: file systems take 255, and a suffix must fit. */
const segmentBytesMax = 160;

/**
 * One path segment that is safe in a folder, in an S3 key and in a URL, whatever the text is: letters, digits, `-` and
 * `_` stay, so does a `.` that is not the first character; every other byte becomes `~` and two hex digits. It is never
 * empty, `.` or `..`. Two texts never share a segment, except that case is left to the file system: a version id
 * follows, so that no two values ever share a place.
 */
export function encodeSegment(text: string): string {
  let encoded = "";
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_-]/.test(character) || (character === "." && encoded !== "");
    encoded += plain ? character : `~${byte.toString(16).padStart(2, "0")}`;
  }
  if (encoded === "") return "~";
  if (encoded.length <= segmentBytesMax) return encoded;
  // Too long for a file name: its start for people, a digest for the difference. `~~` never comes out of a byte.
  return `${encoded.slice(0, 100)}~~${createHash("sha256").update(text).digest("hex").slice(0, 40)}`;
}

/** The place of one version's value in a store: `flights/clean_flights/2001-02/<version>.parquet`. */
export function objectKey(
  version: { readonly assetKey: string; readonly partitionKey?: string | undefined; readonly versionId: string },
  extension: string,
): string {
  const segments = version.assetKey.split("/");
  if (version.partitionKey !== undefined && version.partitionKey !== "") segments.push(version.partitionKey);
  return [...segments.map(encodeSegment), `${encodeSegment(version.versionId)}.${extension}`].join("/");
}
