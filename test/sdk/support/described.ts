import type { AssetDefinition, CheckDefinition, ScheduleDefinition, SensorDefinition } from "@headgate/proto";
import { type DefinitionsOptions, definitions } from "@headgate/sdk";
import { DefinitionsDescriber } from "../../../shared/sdk/src/describe/describe-definitions.ts";
import { CodeBase } from "../../../shared/sdk/src/step/code-base.ts";

/** What a location of team "shop" with these definitions puts into its manifest. */
export interface DescribedLocation {
  readonly assets: Readonly<Record<string, AssetDefinition>>;
  readonly checks: Readonly<Record<string, CheckDefinition>>;
  readonly schedules: Readonly<Record<string, ScheduleDefinition>>;
  readonly sensors: Readonly<Record<string, SensorDefinition>>;
  /** By key: "code: message". */
  readonly errors: Readonly<Record<string, string>>;
}

export function described(options: Omit<DefinitionsOptions, "team">): DescribedLocation {
  const codeBase = new CodeBase({ entry: "", folder: "", sourceHashes: {}, entrySource: "definitions.ts" });
  const describer = new DefinitionsDescriber(codeBase, "definitions.ts", () => "1");
  const assets: Record<string, AssetDefinition> = {};
  const checks: Record<string, CheckDefinition> = {};
  const schedules: Record<string, ScheduleDefinition> = {};
  const sensors: Record<string, SensorDefinition> = {};
  const errors: Record<string, string> = {};
  for (const { key, definition, error } of describer.describe(definitions({ team: "shop", ...options })).entries) {
    if (error !== undefined) errors[key] = `${error.code}: ${error.message}`;
    if (definition?.definition?.$case === "asset") assets[key] = definition.definition.value;
    if (definition?.definition?.$case === "check") checks[key] = definition.definition.value;
    if (definition?.definition?.$case === "schedule") schedules[key] = definition.definition.value;
    if (definition?.definition?.$case === "sensor") sensors[key] = definition.definition.value;
  }
  return { assets, checks, schedules, sensors, errors };
}
