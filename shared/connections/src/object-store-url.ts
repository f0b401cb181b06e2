import { fileURLToPath } from "node:url";
import { ConnectionError } from "./connection-error.ts";

/** What an object store's URL says. */
export type ObjectStoreUrl =
  | { readonly scheme: "file"; readonly folder: string }
  | {
      readonly scheme: "s3";
      readonly bucket: string;
      /** Without slashes at its ends; may be empty. */
      readonly prefix: string;
      readonly endpoint?: string;
      readonly region?: string;
      readonly forcePathStyle: boolean;
    };

/** Reads `file:///folder` or `s3://bucket/prefix?endpoint=&region=&forcePathStyle=`. Throws `object_store.url_invalid`. */
export function parseObjectStoreUrl(text: string): ObjectStoreUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw invalid(text, "it is no URL");
  if (url.username !== "" || url.password !== "") {
    // The text is left out of the message: it holds a secret.
    throw new ConnectionError("object_store.url_invalid", "The object store's URL has credentials in it");
  }
  if (url.protocol === "file:") {
    if (url.host !== "" || url.search !== "") throw invalid(text, "a folder is file:/// and an absolute path");
    return { scheme: "file", folder: fileURLToPath(url) };
  }
  if (url.protocol === "s3:") return parseS3(text, url);
  throw invalid(text, `its scheme is ${url.protocol.slice(0, -1)}`);
}

function parseS3(text: string, url: URL): ObjectStoreUrl {
  if (url.host === "") throw invalid(text, "it names no bucket");
  const known = ["endpoint", "region", "forcePathStyle"];
  for (const name of url.searchParams.keys()) {
    if (!known.includes(name)) throw invalid(text, `it has the unknown parameter ${name} (known: ${known.join(", ")})`);
  }
  const endpoint = url.searchParams.get("endpoint") ?? undefined;
  if (endpoint !== undefined && !/^https?:\/\/[^/]+/.test(endpoint)) {
    throw invalid(text, "its endpoint is not http:// or https:// and a host");
  }
  const region = url.searchParams.get("region") ?? undefined;
  const forcePathStyle = url.searchParams.get("forcePathStyle") ?? "false";
  if (forcePathStyle !== "true" && forcePathStyle !== "false") throw invalid(text, "forcePathStyle is true or false");
  return {
    scheme: "s3",
    bucket: url.host,
    prefix: decodeURIComponent(url.pathname).replaceAll(/^\/+|\/+$/g, ""),
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    forcePathStyle: forcePathStyle === "true",
  };
}

function invalid(text: string, problem: string): ConnectionError {
  return new ConnectionError("object_store.url_invalid", `${JSON.stringify(text)} is no object store: ${problem}`);
}
