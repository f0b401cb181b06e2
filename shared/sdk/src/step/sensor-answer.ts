import { cleanText } from "@headgate/model";
import type { AnySensor } from "../sensor.ts";
import { describeValue } from "../describe/fields.ts";
import { StepFailure } from "./step-failure.ts";

const requestsMax = 1_000;
const addedKeysMax = 10_000;
const textLengthMax = 255;
const partitionsLengthMax = 65_536;
const tagsMax = 50;
const skipReasonLengthMax = 1_024;

/** A run that is asked for, in the shape of evaluation.proto: unit tests of teams get it without loading the wire. */
interface AskedRun {
  readonly runKey: string;
  readonly targets: string[];
  readonly partitions: string;
  readonly config: string;
  readonly tags: Record<string, string>;
}

interface AddedKeys {
  readonly set: string;
  readonly keys: string[];
}

/** What a sensor asks for. */
export interface SensorAnswer {
  readonly requests: readonly AskedRun[];
  readonly addPartitions: readonly AddedKeys[];
  readonly skipReason: string;
  /** As it was returned; undefined: it stays. */
  readonly cursor: unknown;
}

/**
 * What `evaluate` returned, held against its bounds.
 *
 * @throws StepFailure `sensor.result_invalid`, `sensor.too_many_requests`
 */
export function sensorAnswer(sensor: AnySensor, returned: unknown): SensorAnswer {
  if (returned === undefined || returned === null) {
    return { requests: [], addPartitions: [], skipReason: "", cursor: undefined };
  }
  const given = record(returned, "What evaluate returned");
  const unknown = Object.keys(given).find((name) => !["requests", "addPartitions", "cursor", "skip"].includes(name));
  if (unknown !== undefined) {
    throw invalid(
      `What evaluate returned has the unknown field "${unknown}".`,
      "Return { requests, cursor, addPartitions } or { skip, cursor }.",
    );
  }
  const requests = list(given["requests"], "requests");
  const skip = given["skip"];
  if (skip !== undefined && (typeof skip !== "string" || requests.length > 0)) {
    throw invalid(
      typeof skip === "string" ? "evaluate returned `skip` together with requests." : "`skip` is not a text.",
      "Skip with a reason, or ask for runs.",
    );
  }
  if (requests.length > requestsMax) {
    throw new StepFailure(
      "sensor.too_many_requests",
      `It asks for ${requests.length} runs; an evaluation may ask for ${requestsMax}.`,
      "Return the first of them, with a cursor from which the next evaluation goes on; or ask for ranges of partitions.",
    );
  }
  return {
    requests: requests.map((request, index) => requestOf(sensor, request, `requests[${index}]`)),
    addPartitions: addedPartitions(list(given["addPartitions"], "addPartitions")),
    skipReason: cleanText(typeof skip === "string" ? skip : "").slice(0, skipReasonLengthMax),
    cursor: given["cursor"],
  };
}

const requestFields = ["runKey", "target", "partitions", "config", "tags"];

function requestOf(sensor: AnySensor, given: unknown, at: string): AskedRun {
  const request = record(given, at);
  const unknown = Object.keys(request).find((name) => !requestFields.includes(name));
  if (unknown !== undefined) {
    throw invalid(`${at} has the unknown field "${unknown}".`, `Known fields: ${requestFields.join(", ")}.`);
  }
  return {
    runKey: text(request["runKey"], `${at}.runKey`, textLengthMax),
    targets: targetsOf(sensor, request["target"], at),
    partitions: text(request["partitions"], `${at}.partitions`, partitionsLengthMax),
    config: configOf(request["config"], at),
    tags: tagsOf(request["tags"], at),
  };
}

function targetsOf(sensor: AnySensor, given: unknown, at: string): string[] {
  if (given === undefined) return [];
  const targets = (Array.isArray(given) ? given : [given]) as readonly { readonly key?: unknown }[];
  const own = sensor.targets.map(({ key }) => key);
  return targets.map((target) => {
    const key = target?.key;
    if (typeof key === "string" && own.includes(key)) return key;
    throw invalid(
      `${at} targets ${describeValue(key ?? target)}, which is not a target of sensor "${sensor.name}".`,
      `Its targets are ${own.join(", ")}: list the asset in \`targets\`, or ask for one of these.`,
    );
  });
}

function configOf(given: unknown, at: string): string {
  if (given === undefined) return "";
  const config = record(given, `${at}.config`);
  try {
    return JSON.stringify(config);
  } catch (error) {
    throw invalid(`${at}.config is not JSON: ${String(error)}`, "Give plain values.");
  }
}

function tagsOf(given: unknown, at: string): Record<string, string> {
  const tags = Object.entries(given === undefined ? {} : record(given, `${at}.tags`));
  if (tags.length > tagsMax) throw invalid(`${at} has ${tags.length} tags, of at most ${tagsMax}.`, "Give fewer.");
  return Object.fromEntries(
    tags.map(([name, value]) => [
      text(name, `a tag's name in ${at}`, textLengthMax),
      text(value, `${at}.tags.${name}`, textLengthMax),
    ]),
  );
}

function addedPartitions(given: readonly unknown[]): AddedKeys[] {
  const added = given.map((item, index) => {
    const at = `addPartitions[${index}]`;
    const { set, keys } = record(item, at);
    const { kind, name } = (set ?? {}) as { readonly kind?: unknown; readonly name?: unknown };
    if (kind !== "dynamic" || typeof name !== "string") {
      throw invalid(`${at}.set is ${describeValue(set)}.`, "Give what dynamicPartitions({ name }) made.");
    }
    return { set: name, keys: list(keys, `${at}.keys`).map((key) => text(key, `a key of ${at}`, textLengthMax)) };
  });
  const count = added.reduce((sum, { keys }) => sum + keys.length, 0);
  if (count <= addedKeysMax) return added;
  throw invalid(`It adds ${count} partitions, of at most ${addedKeysMax} in an evaluation.`, "Add them in parts.");
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(`${what} is ${describeValue(value)} and not an object.`, "Return { requests: [{ runKey }], cursor }.");
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw invalid(`${what} is ${describeValue(value)} and not a list.`, `Give a list, or leave it out.`);
}

function text(value: unknown, what: string, lengthMax: number): string {
  if (value === undefined) return "";
  if (typeof value !== "string") throw invalid(`${what} is ${describeValue(value)} and not a text.`, "Give a text.");
  if (value.length <= lengthMax) return cleanText(value);
  throw invalid(`${what} has ${value.length} characters, of at most ${lengthMax}.`, "Give a shorter one.");
}

function invalid(message: string, hint: string): StepFailure {
  return new StepFailure("sensor.result_invalid", message, hint);
}
