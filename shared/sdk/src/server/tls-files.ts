import { TlsError } from "./tls-error.ts";

/** PEM files. With `ca` callers need a certificate of it. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
}

/**
 * The files of an option, or those that HEADGATE_LOCATION_TLS_CERT, _KEY and _CA name. Undefined: no TLS.
 *
 * @throws TlsError if one of certificate and key is missing, or only a `ca` is there: a location that was to be closed must
 *   not be open because a variable was forgotten
 */
export function tlsFiles(
  given: TlsFiles | undefined,
  env: Readonly<Record<string, string | undefined>>,
): TlsFiles | undefined {
  if (given !== undefined) return given;
  const named = (part: string) => env[`HEADGATE_LOCATION_TLS_${part}`] || undefined;
  const [cert, key, ca] = [named("CERT"), named("KEY"), named("CA")];
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key, ca };
  const missing = cert === undefined ? "HEADGATE_LOCATION_TLS_CERT" : "HEADGATE_LOCATION_TLS_KEY";
  throw new TlsError(`TLS needs a certificate and its key, and ${missing} is not set.`, "Set it, or none of them.");
}
