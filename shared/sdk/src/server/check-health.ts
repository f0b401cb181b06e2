import { readFileSync } from "node:fs";
import type { ServiceError } from "@grpc/grpc-js";
import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { service } from "grpc-health-check";
import { tlsFiles } from "./tls-files.ts";
import type { TlsFiles } from "./tls-files.ts";

/** Where the location is that is asked how it is. */
export interface HealthOptions {
  /** Default "127.0.0.1". */
  readonly host?: string | undefined;
  /** Default 4000. */
  readonly port?: number | undefined;
  /** As `serve()` was given it; default: the variables that `serve()` reads. */
  readonly tls?: TlsFiles | undefined;
  /** Default 3,000. */
  readonly deadlineMs?: number | undefined;
}

/** "UNREACHABLE": nobody answered as a code location does. */
export type Health = "SERVING" | "NOT_SERVING" | "UNREACHABLE";

/**
 * Asks a code location on this machine whether it takes steps. Over TLS it shows the location's own certificate, and
 * takes any: this asks whether it answers, not who it is.
 */
export function checkHealth(options: HealthOptions = {}): Promise<Health> {
  const { host = "127.0.0.1", port = 4_000, deadlineMs = 3_000 } = options;
  const Client = makeGenericClientConstructor(service, "Health");
  const client = new Client(`${host.includes(":") ? `[${host}]` : host}:${port}`, channel(options.tls));
  return new Promise((resolve) => {
    type Answer = { readonly status?: string } | undefined;
    const check = client["check"] as unknown as (
      request: object,
      options: { deadline: number },
      callback: (error: ServiceError | null, answer: Answer) => void,
    ) => void;
    check.call(client, { service: "" }, { deadline: Date.now() + deadlineMs }, (error, answer) => {
      client.close();
      if (error !== null) resolve("UNREACHABLE");
      else resolve(answer?.status === "SERVING" ? "SERVING" : "NOT_SERVING");
    });
  });
}

function channel(given: TlsFiles | undefined) {
  const tls = tlsFiles(given, process.env);
  if (tls === undefined) return credentials.createInsecure();
  const [key, cert] = [readFileSync(tls.key), readFileSync(tls.cert)];
  return credentials.createSsl(null, key, cert, { rejectUnauthorized: false });
}
