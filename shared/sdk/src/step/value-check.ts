import type { StandardSchemaV1 } from "@standard-schema/spec";
import { StepFailure } from "./step-failure.ts";

const issuesMax = 5;

/** The schema in a declaration; undefined for `valueOf<T>()` and for no declaration. */
export function schemaOf(declaration: unknown): StandardSchemaV1 | undefined {
  const isObject = (typeof declaration === "object" && declaration !== null) || typeof declaration === "function";
  if (!isObject || !("~standard" in declaration)) return undefined;
  return declaration as StandardSchemaV1;
}

/**
 * The value as its schema puts it out.
 *
 * @throws StepFailure `code`, naming what was validated and the path of each issue
 */
export async function validated(
  schema: StandardSchemaV1,
  value: unknown,
  code: string,
  what: string,
): Promise<unknown> {
  return outputOf(await schema["~standard"].validate(value), code, what);
}

/**
 * What a schema put out.
 *
 * @throws StepFailure `code`, naming what was validated and the path of each issue
 */
export function outputOf(result: StandardSchemaV1.Result<unknown>, code: string, what: string): unknown {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.slice(0, issuesMax).map((issue) => `${pathOf(issue)}: ${issue.message}`);
  const more = result.issues.length > issuesMax ? ` (and ${result.issues.length - issuesMax} more)` : "";
  const hint = hints[code] ?? "Give config that matches the schema in `config`.";
  throw new StepFailure(code, `${what} does not match its schema. ${issues.join("; ")}${more}`, hint);
}

const hints: Readonly<Record<string, string>> = {
  "step.value_invalid": "Mend what compute returns, or the schema in `value`.",
  "sensor.cursor_invalid": "Mend what evaluate returns, or the schema in `cursor`.",
  "sensor.stored_cursor_invalid":
    "Let the schema in `cursor` take what was stored before, or replace that: headgate sensor set-cursor.",
};

function pathOf(issue: StandardSchemaV1.Issue): string {
  if (issue.path === undefined || issue.path.length === 0) return "at the top";
  let path = "";
  for (const segment of issue.path) {
    const key = typeof segment === "object" ? segment.key : segment;
    path += typeof key === "number" ? `[${key}]` : `${path === "" ? "" : "."}${String(key)}`;
  }
  return `at ${path}`;
}
