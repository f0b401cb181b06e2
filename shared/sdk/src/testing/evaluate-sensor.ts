import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { AnySpec } from "../asset-spec.ts";
import type { ResourceMap, ResourceValues } from "../resource.ts";
import type { CursorInput, Sensor } from "../sensor.ts";
import { askSensor } from "../step/ask-sensor.ts";
import type { Reported } from "./test-context.ts";
import { testResources } from "./test-context.ts";

/** What the evaluation of a sensor is given in a test. */
export interface EvaluateSensorOptions<C, R extends ResourceMap> {
  /** What the last evaluation returned; left out: this is the first one. */
  readonly cursor?: CursorInput<C>;
  /** Default: now. */
  readonly now?: Date;
  /** What stands for the resources; one that is missing throws when it is used. */
  readonly resources?: Partial<ResourceValues<R>>;
  readonly signal?: AbortSignal;
}

/** What a sensor asked for, as the control plane would take it. */
export interface EvaluatedSensor<C = unknown> {
  readonly requests: readonly {
    /** "" where none was given. */
    readonly runKey: string;
    /** Asset keys. */
    readonly targets: readonly string[];
    /** "" where none were named. */
    readonly partitions: string;
    readonly config: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    readonly tags: Readonly<Record<string, string>>;
  }[];
  readonly addPartitions: readonly { readonly set: string; readonly keys: readonly string[] }[];
  /** What the next evaluation goes on from: give it as `cursor`. */
  readonly cursor: CursorInput<C> | undefined;
  /** Why nothing is asked for; undefined where no reason was given. */
  readonly skip: string | undefined;
  readonly logs: Reported["logs"];
}

/**
 * Evaluates a sensor in this process as a code location would: the cursor is validated before and after, and goes
 * through JSON; what is asked for is held against its bounds. Nothing is recorded, no server is asked.
 *
 * @throws what `evaluate` throws; StepFailure `sensor.cursor_invalid`, `sensor.result_invalid` and others, in the words
 *   of a tick
 */
export async function evaluateSensor<
  C extends StandardSchemaV1 | undefined,
  R extends ResourceMap,
  T extends readonly AnySpec[],
>(sensor: Sensor<C, R, T>, options: EvaluateSensorOptions<C, R> = {}): Promise<EvaluatedSensor<C>> {
  const { cursor: given, now = new Date(), resources = {}, signal = new AbortController().signal } = options;
  const logs: Reported["logs"][number][] = [];
  const log = (level: string) => (message: string, fields?: unknown) => void logs.push({ level, message, fields });
  const answer = await askSensor(sensor, {
    cursor: given === undefined ? undefined : JSON.stringify(given),
    resources: testResources(sensor.resources, resources) as Readonly<Record<string, unknown>>,
    log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    signal,
    nowMs: now.getTime(),
  });
  const { requests, addPartitions, cursor, skipReason } = answer;
  return {
    requests: requests.map(({ runKey, targets, partitions, config, tags }) => ({
      runKey,
      targets: targets.length === 0 ? sensor.targets.map(({ key }) => key) : targets,
      partitions,
      config: config === "" ? {} : (JSON.parse(config) as Record<string, Record<string, unknown>>),
      tags,
    })),
    addPartitions,
    cursor: cursor === undefined ? given : (JSON.parse(cursor) as CursorInput<C>),
    skip: skipReason === "" ? undefined : skipReason,
    logs,
  };
}
