import { pathToFileURL } from "node:url";
import { resource, type Resource, type Setting } from "@headgate/sdk";
import { folderStore } from "./folder-store.ts";
import { parseObjectStoreUrl } from "./object-store-url.ts";
import type { ObjectStore } from "./object-store.ts";

/**
 * An object store resource: `objectStore(env("HEADGATE_OBJECT_STORE"))`, with `file:///folder` or
 * `s3://bucket/prefix?endpoint=https://host&region=name&forcePathStyle=true` in that variable. S3 credentials come from
 * where the AWS SDK looks for them: the environment, a profile, the platform's identity.
 */
export function objectStore(url: Setting): Resource<ObjectStore> {
  return resource({
    create: (context) => openObjectStore(context.read(url)),
    dispose: (store) => store.close(),
  });
}

/** An object store in a folder on this machine: for the scratch folder of `headgate try`. */
export function folderObjects(folder: string): Resource<ObjectStore> {
  return objectStore(pathToFileURL(folder).href);
}

/** Opens an object store. Throws ConnectionError `object_store.url_invalid`, `.unavailable`, `.denied`. */
export async function openObjectStore(url: string): Promise<ObjectStore> {
  const parsed = parseObjectStoreUrl(url);
  if (parsed.scheme === "file") return await folderStore(parsed.folder);
  // A location that keeps its values in a folder never loads the S3 client.
  const { s3Store } = await import("./s3-store.ts");
  return await s3Store(parsed);
}
