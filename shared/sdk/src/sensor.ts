import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { AnySpec } from "./asset-spec.ts";
import { rememberSite } from "./construction-site.ts";
import type { Log } from "./log.ts";
import type { ResourceMap, ResourceValues } from "./resource.ts";
import type { AddedPartitions, RunRequest } from "./run-request.ts";
import type { HeadgateTypeError } from "./type-error.ts";

/** What `evaluate` may return as the cursor of a sensor: what its schema takes. */
export type CursorInput<C> = C extends StandardSchemaV1<infer Input, infer _Output> ? Input : undefined;

/** Before the first evaluation there is no cursor: its schema has to say what stands for it. */
type CheckedCursor<C> = C extends StandardSchemaV1
  ? undefined extends CursorInput<C>
    ? unknown
    : HeadgateTypeError<"The first evaluation has no cursor: give its schema a default, or make it optional.">
  : unknown;

/** The cursor as `evaluate` receives it. */
export type CursorOf<C> =
  C extends StandardSchemaV1<infer _Input, infer Output>
    ? Output
    : HeadgateTypeError<"This sensor keeps no cursor: give it `cursor`, a Standard Schema with a default."> | undefined;

/** What `evaluate` of a sensor is told. */
export interface SensorContext<C = unknown, R extends ResourceMap = ResourceMap> {
  /** What the last evaluation that was recorded returned, validated; what the schema makes of `undefined` before that. */
  readonly cursor: CursorOf<C>;
  readonly resources: ResourceValues<R>;
  readonly log: Log;
  /** Aborted when the evaluation times out; pass it on to whatever takes long. */
  readonly signal: AbortSignal;
  /** By the clock of the control plane. */
  readonly now: Date;
}

interface SensorAnswer<C> {
  /** Kept for the next evaluation, together with the runs; JSON, at most 64 KiB. Left out: it stays as it is. */
  readonly cursor?: CursorInput<C> | undefined;
  /** Added before any of the requests is looked at. */
  readonly addPartitions?: readonly AddedPartitions[] | undefined;
}

/** What `evaluate` returns: runs to start, at most 1,000, or why there are none. */
export type SensorResult<C = StandardSchemaV1 | undefined, Target extends AnySpec = AnySpec> =
  | (SensorAnswer<C> & { readonly requests?: readonly RunRequest<Target>[] | undefined; readonly skip?: undefined })
  | (SensorAnswer<C> & { readonly skip: string; readonly requests?: undefined });

/** What a sensor may request, how often it looks, and the function that does. */
export interface SensorOptions<
  C extends StandardSchemaV1 | undefined,
  R extends ResourceMap,
  T extends readonly AnySpec[],
> {
  /** "team/name", as an asset's key. */
  readonly name: string;
  readonly description?: string;
  /** What it may ask to be materialized: assets of its own team. */
  readonly targets: T;
  /** From one evaluation to the next, at least; from 100, default 30,000. */
  readonly minimumIntervalMs?: number;
  /** Of one evaluation; at most 600,000, default 60,000. */
  readonly timeoutMs?: number;
  /** "off": it waits for `headgate sensor start`. Default "on". */
  readonly status?: "on" | "off";
  /** A Standard Schema of what it remembers from one evaluation to the next, with a default for the first one. */
  readonly cursor?: C & CheckedCursor<C>;
  readonly resources?: R;
  /** Looks at the outside world and says what is to run. It may be asked again: it should change nothing. */
  readonly evaluate: (
    context: SensorContext<C, R>,
  ) => SensorResult<C, T[number]> | void | Promise<SensorResult<C, T[number]> | void>;
}

/** A function that looks at the world outside and requests runs, made by `sensor`. */
export interface Sensor<
  C extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
  R extends ResourceMap = ResourceMap,
  T extends readonly AnySpec[] = readonly AnySpec[],
> {
  readonly kind: "sensor";
  readonly name: string;
  readonly description?: string;
  readonly targets: T;
  readonly minimumIntervalMs?: number;
  readonly timeoutMs?: number;
  readonly status?: "on" | "off";
  readonly cursor: C;
  readonly resources: R;
  readonly evaluate: SensorOptions<C, R, T>["evaluate"];
}

/** Any sensor, where its parameters do not matter. */
export interface AnySensor extends Omit<Sensor, "evaluate"> {
  readonly evaluate: (...parameters: never[]) => unknown;
}

/** Declares a sensor: a function that is asked again and again what is to run. Never throws. */
export function sensor<
  const T extends readonly AnySpec[],
  C extends StandardSchemaV1 | undefined = undefined,
  R extends ResourceMap = Record<never, never>,
>(options: SensorOptions<C, R, T>): Sensor<C, R, T> {
  const definition = { ...options, kind: "sensor", resources: options?.resources ?? {}, cursor: options?.cursor };
  return rememberSite(definition, sensor as () => unknown) as unknown as Sensor<C, R, T>;
}
