import type { Setting } from "../reference.ts";
import type { Redaction } from "./redaction.ts";
import { StepFailure } from "./step-failure.ts";

/**
 * The text of a setting, from this process's environment where it is a reference.
 *
 * @throws StepFailure `resource.variable_missing`
 */
export function readSetting(setting: Setting, redaction: Redaction): string {
  if (typeof setting === "string") return setting;
  const value = process.env[setting.name] ?? (setting.kind === "env" ? setting.default : undefined);
  if (value === undefined) {
    throw new StepFailure(
      "resource.variable_missing",
      `The environment variable ${setting.name} is not set in this code location.`,
      `Set ${setting.name} where the location runs${setting.kind === "env" ? `, or give env("${setting.name}", ...) a default` : ""}.`,
    );
  }
  if (setting.kind === "secret") redaction.add(value);
  return value;
}
