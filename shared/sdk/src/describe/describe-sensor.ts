import type { SensorDefinition } from "@headgate/proto";
import { assetKeyRule, cleanText, parseAssetKey, teamOf } from "@headgate/model";
import type { AnySensor } from "../sensor.ts";
import { schemaOf } from "../step/value-check.ts";
import { checkKey, checkResources } from "./describe-asset.ts";
import type { FieldRule } from "./fields.ts";
import {
  anything,
  callable,
  checkFields,
  describeValue,
  oneOf,
  record,
  refuseFailedModule,
  text,
  wholeNumber,
} from "./fields.ts";
import { DefinitionProblem } from "./problem.ts";

/** What a timer can wait: 24 days. */
const intervalMsMax = 2_147_483_647;
const timeoutMsMax = 600_000;

const sensorFields: Readonly<Record<string, FieldRule>> = {
  kind: anything,
  name: text,
  description: text,
  targets: { is: (value) => Array.isArray(value) && value.length > 0, words: "a list of assets, one at least" },
  minimumIntervalMs: wholeNumber(100, intervalMsMax),
  timeoutMs: wholeNumber(1, timeoutMsMax),
  status: oneOf("on", "off"),
  cursor: { is: (value) => schemaOf(value) !== undefined, words: "a Standard Schema" },
  resources: record,
  evaluate: callable,
};

/**
 * A sensor as it goes into the manifest.
 *
 * @throws DefinitionProblem
 */
export function describeSensor(sensor: AnySensor, team: string): SensorDefinition {
  const what = `sensor ${describeValue(sensor.name)}`;
  checkFields(what, sensor, sensorFields);
  checkName(sensor.name, team);
  if ((sensor.targets as unknown) === undefined || typeof sensor.evaluate !== "function") {
    const missing = typeof sensor.evaluate === "function" ? "targets" : "evaluate function";
    throw new DefinitionProblem(
      "definition.invalid",
      `${what} has no ${missing}.`,
      "Give it `targets` and `evaluate`: sensor({ name, targets: [asset], evaluate }).",
    );
  }
  checkResources(what, sensor);
  checkFirstCursor(what, sensor);
  return {
    name: sensor.name,
    description: cleanText(sensor.description ?? ""),
    targets: describeTargets(what, sensor, team),
    minimumIntervalMs: sensor.minimumIntervalMs ?? 0,
    timeoutMs: sensor.timeoutMs ?? 0,
    startsOff: sensor.status === "off",
    source: undefined,
  };
}

/** @throws DefinitionProblem for a name that is none, or that is another team's */
function checkName(name: unknown, team: string): void {
  const parsed = typeof name === "string" ? parseAssetKey(name) : undefined;
  if (parsed !== undefined && teamOf(parsed) === team) return;
  throw new DefinitionProblem(
    "definition.name_invalid",
    parsed === undefined
      ? `${describeValue(name)} is not the name of a sensor: ${assetKeyRule}.`
      : `The sensor ${parsed} has the name of team "${teamOf(parsed)}", and these definitions are those of team "${team}".`,
    `Write it as "${team}/name".`,
  );
}

function describeTargets(what: string, { targets }: AnySensor, team: string): string[] {
  const keys = targets.map((target, index) => {
    refuseFailedModule(`A target of ${what}`, target);
    if (typeof (target as { key?: unknown } | undefined)?.key !== "string") {
      throw new DefinitionProblem(
        "definition.invalid",
        `targets[${index}] of ${what} is ${describeValue(target)} and not an asset.`,
        "Import the asset, or its spec; if it is imported, an import cycle is the usual reason.",
      );
    }
    checkKey(target.key, team);
    return target.key;
  });
  return [...new Set(keys)];
}

/** Better said here than by the first evaluation. What an asynchronous schema makes of it shows only then. */
function checkFirstCursor(what: string, { cursor }: AnySensor): void {
  const result = schemaOf(cursor)?.["~standard"].validate(undefined);
  if (result === undefined || result instanceof Promise || result.issues === undefined) return;
  throw new DefinitionProblem(
    "definition.cursor_without_default",
    `The cursor of ${what} has no default, and before the first evaluation there is none.`,
    'Give its schema a default: z.string().default("").',
  );
}
