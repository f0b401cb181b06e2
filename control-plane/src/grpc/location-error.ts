import { type ServiceError, status } from "@grpc/grpc-js";
import { boundedText } from "./bounded-text.ts";
import { tlsFailure } from "./tls-failure.ts";

const hints = {
  "location.unreachable": "start the code location, or correct its host and port in workspace.yaml",
  "location.timed_out": "the code location did not answer in time; see its log, restart it if it hangs",
  "location.lost": "the connection broke; it is dialled again",
  "location.silent": "the code location's process hangs or is out of reach; it is dialled again",
  "location.unauthenticated":
    "set the same token on both sides: token_env of its entry in workspace.yaml, HEADGATE_LOCATION_TOKEN of the location",
  "location.tls_failed": "compare the certificates of both sides: docs/how-to/tls.md",
  "location.tls_unreadable": "correct tls of the entry in workspace.yaml, the file, or its rights",
  "location.protocol_mismatch": "upgrade the older side: the SDK of the code location, or the control plane",
  "location.busy": "it is asked again; give the location more workers (HEADGATE_WORKERS) if it stays so",
  "location.cannot_evaluate": "upgrade the SDK of the code location: sensors need version 2 of the protocol",
  "location.refused": "correct the code location, then reload it: headgate location reload",
  "location.not_a_location": "the address answers, but serves no headgate.v1.CodeLocation; correct host and port",
} as const;

export type LocationErrorCode = keyof typeof hints;

/** A code location that cannot be used. `code` is stable, `hint` says how to mend it. */
export class LocationError extends Error {
  override readonly name = "LocationError";
  readonly code: LocationErrorCode;
  readonly hint: string;

  constructor(
    code: LocationErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly hint?: string },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options?.hint ?? hints[code];
  }

  /** Dialling again does not mend it: somebody has to. */
  get isRefusal(): boolean {
    switch (this.code) {
      case "location.unauthenticated":
      case "location.tls_failed":
      case "location.tls_unreadable":
      case "location.protocol_mismatch":
      case "location.refused":
      case "location.not_a_location":
        return true;
      case "location.unreachable":
      case "location.timed_out":
      case "location.lost":
      case "location.silent":
      case "location.busy":
      case "location.cannot_evaluate":
        return false;
    }
  }
}

/** Nobody can be asked: it has no session, or is not in the workspace. */
export function notConnected(location: string): LocationError {
  return new LocationError("location.unreachable", `location ${location} is not connected`);
}

/** What a failed call says about the location at `address`, which was dialled with TLS or without. */
export function callFailed(address: string, what: string, error: unknown, usesTls: boolean): LocationError {
  if (error instanceof LocationError) return error;
  const { code, details } = error as Partial<ServiceError>;
  const said = boundedText(details ?? String(error), 1_000);
  const options = { cause: error };
  if (code === status.UNAVAILABLE) {
    const tls = tlsFailure(address, said, usesTls);
    if (tls !== undefined) {
      // Without TLS it may just as well have been about to end.
      const failed = usesTls ? "location.tls_failed" : "location.unreachable";
      return new LocationError(failed, tls.message, { ...options, hint: tls.hint });
    }
    return new LocationError("location.unreachable", `nothing answers at ${address}: ${said}`, options);
  }
  if (code === status.DEADLINE_EXCEEDED) {
    return new LocationError("location.timed_out", `${address} did not answer ${what} in time`, options);
  }
  if (code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED) {
    return new LocationError("location.unauthenticated", `${address} refused ${what}: ${said}`, options);
  }
  if (code === status.UNIMPLEMENTED) {
    return new LocationError("location.not_a_location", `${address} does not serve ${what}: ${said}`, options);
  }
  if (code === status.RESOURCE_EXHAUSTED) {
    return new LocationError("location.refused", `the answer of ${address} to ${what} is too large: ${said}`, options);
  }
  return new LocationError("location.refused", `${address} failed at ${what}: ${said}`, options);
}
