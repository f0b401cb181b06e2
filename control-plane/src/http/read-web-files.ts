import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export interface WebFile {
  readonly body: Buffer;
  readonly mediaType: string;
  /** A strong ETag: the digest of the bytes. */
  readonly etag: string;
  /** Its name holds a digest of its contents, so that whoever has it need not ask again. */
  readonly immutable: boolean;
}

const mediaTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** The built web UI: in the published package beside `dist`, in a checkout in the package that makes it. */
export function webFolder(): string | undefined {
  for (let folder = dirname(fileURLToPath(import.meta.url)); dirname(folder) !== folder; folder = dirname(folder)) {
    const found = [join(folder, "web"), join(folder, "web", "dist")].find((at) => existsSync(join(at, "static")));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Every file of the built UI by its path below the server's root, `/index.html` among them; empty if it is not built.
 * They are read once: a build that replaces them while this process serves does not mix with what it has.
 */
export function readWebFiles(folder: string | undefined): ReadonlyMap<string, WebFile> {
  const files = new Map<string, WebFile>();
  if (folder === undefined) return files;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const mediaType = mediaTypes[extname(entry.name)];
    if (!entry.isFile() || mediaType === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    const path = `/${relative(folder, file).split(sep).join("/")}`;
    const body = readFileSync(file);
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    files.set(path, { body, mediaType, etag, immutable: /-[\w-]{8,}\.\w+$/.test(entry.name) });
  }
  return files;
}
