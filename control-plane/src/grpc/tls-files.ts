import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { LocationError } from "./location-error.ts";

/** Paths of PEM files, as an entry of workspace.yaml names them. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** PEM. */
export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * Reads the files as they are now: certificates are renewed under a process that goes on.
 *
 * @throws LocationError `location.tls_unreadable` for a file that cannot be read or used, `location.tls_failed` for a
 *   certificate of the control plane that has expired
 */
export function readTlsFiles(files: TlsFiles): TlsMaterial {
  const material = Object.fromEntries(
    Object.entries(files).map(([part, file]: [string, string]) => [part, read(part, file)]),
  ) as TlsMaterial;
  const { ca, cert, key } = material;
  if (files.ca !== undefined && ca !== undefined) certificateOf(files.ca, ca);
  if (files.cert === undefined || cert === undefined || key === undefined) return material;
  const own = certificateOf(files.cert, cert);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const message = `${files.key} is no key of the certificate ${files.cert}: ${(error as Error).message}`;
    throw new LocationError("location.tls_unreadable", message, { cause: error });
  }
  if (Date.parse(own.validTo) < Date.now()) {
    throw new LocationError("location.tls_failed", `the certificate ${files.cert} expired on ${own.validTo}`, {
      hint: "renew it; the files are read again whenever the location is dialled",
    });
  }
  return material;
}

function read(part: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const message = `the file of tls: ${part} cannot be read: ${(error as Error).message}`;
    throw new LocationError("location.tls_unreadable", message, { cause: error });
  }
}

function certificateOf(file: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new LocationError("location.tls_unreadable", `${file} holds no certificate in PEM`, { cause: error });
  }
}
