import { ConnectionError } from "./connection-error.ts";

interface AwsError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function statusOf(error: unknown): number | undefined {
  return (error as AwsError).$metadata?.httpStatusCode;
}

export function isMissing(error: unknown): boolean {
  // A HEAD has no body to say whether the key or the bucket is missing.
  return (error as AwsError).name !== "NoSuchBucket" && statusOf(error) === 404;
}

/** Something is at the place already. */
export function isOverwriteRefused(error: unknown): boolean {
  return statusOf(error) === 412;
}

/** The server could not answer now, or the connection broke: another try may do. */
export function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  // 409: two conditional requests met; the one that is repeated learns the outcome.
  if (status !== undefined && status >= 300) return status >= 500 || status === 409 || status === 429 || status === 408;
  const { name = "", code = "" } = error as AwsError;
  return (
    ["TimeoutError", "NetworkingError", "IncompleteBody"].includes(name) ||
    [
      "ECONNRESET",
      "ECONNREFUSED",
      "ECONNABORTED",
      "EPIPE",
      "ETIMEDOUT",
      "EAI_AGAIN",
      "ERR_STREAM_PREMATURE_CLOSE",
    ].includes(code)
  );
}

/** The client's errors in this package's words; what is none of them stays what it is. */
export function s3Failure(error: unknown, what: string): unknown {
  const { name = "", message = "", code } = error as AwsError;
  const status = statusOf(error);
  const said = `${what}: ${[name, message].filter((part) => part !== "").join(": ")}`;
  if (status === 404) return new ConnectionError("object_store.not_found", said, error);
  if (status === 401 || status === 403 || name === "CredentialsProviderError") {
    return new ConnectionError("object_store.denied", said, error);
  }
  if (status !== undefined || code !== undefined || isTransient(error)) {
    return new ConnectionError("object_store.unavailable", said, error);
  }
  return error;
}
