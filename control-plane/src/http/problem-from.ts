import { ModelError } from "@headgate/model";
import { StorageError } from "../storage/storage-error.ts";
import { Problem } from "./problem.ts";

/** Any error as a problem. What nobody foresaw is a fault of ours and tells nothing of itself to the client. */
export function problemFrom(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ModelError) return new Problem("request.invalid", error.message, error.hint);
  if (error instanceof StorageError) {
    return error.code === "database.unavailable"
      ? caused(new Problem("database.unavailable", "The database cannot be reached.", error.hint), error)
      : caused(new Problem("internal.error", error.message, error.hint), error);
  }
  const { statusCode, code, message } = error as { statusCode?: unknown; code?: unknown; message?: unknown };
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    return new Problem("request.too_large", "The body is larger than 1 MiB.", "Select with a shorter expression.");
  }
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") {
    return new Problem(
      "request.unsupported_media_type",
      "The body is not JSON.",
      "Send content-type: application/json.",
    );
  }
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500) {
    return new Problem(
      "request.invalid",
      typeof message === "string" ? message : "malformed",
      "GET /openapi.json has the schema.",
    );
  }
  const problem = new Problem(
    "internal.error",
    "The control plane met a fault of its own.",
    "Its log says more; nothing of this request was committed.",
  );
  return caused(problem, error);
}

function caused(problem: Problem, cause: unknown): Problem {
  problem.cause = cause;
  return problem;
}
