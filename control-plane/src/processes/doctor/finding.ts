/** What one look at the environment found. */
export interface Finding {
  /** What was looked at; the same in every release. */
  readonly check: string;
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  /** What to do about it; empty where nothing is to be done. */
  readonly remedy: string;
}

export function ok(check: string, message: string): Finding {
  return { check, status: "ok", message, remedy: "" };
}

export function warn(check: string, message: string, remedy: string): Finding {
  return { check, status: "warn", message, remedy };
}

export function fail(check: string, message: string, remedy: string): Finding {
  return { check, status: "fail", message, remedy };
}

/** A look that may end in an error, which then is what was found. */
export async function found(check: string, remedy: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    const { hint } = error as { hint?: unknown };
    const message = error instanceof Error ? error.message : String(error);
    return fail(check, message, typeof hint === "string" && hint !== "" ? hint : remedy);
  }
}
