import type { HeadgateTypeError } from "./type-error.ts";

/** Partitions that are time windows; `cron` gives the window boundaries in `timezone`. */
export interface TimeWindowPartitions<Cron extends string = string, Zone extends string = string> {
  readonly kind: "timeWindow";
  /** Five fields. */
  readonly cron: Cron;
  /** IANA name. */
  readonly timezone: Zone;
  /** RFC 3339 date or date-time in `timezone`, inclusive. */
  readonly start: string;
  /** Exclusive; absent: open-ended. */
  readonly end?: string;
}

/** A fixed list of partition keys. */
export interface StaticPartitions<Key extends string = string> {
  readonly kind: "static";
  readonly keys: readonly Key[];
}

/** Keys that come and go while the code stays: those of the set `name` of the asset's team. */
export interface DynamicPartitions<Name extends string = string> {
  readonly kind: "dynamic";
  readonly name: Name;
}

/** What one dimension may be. */
export type DimensionPartitions = TimeWindowPartitions | StaticPartitions | DynamicPartitions;

/** Phantom: the dimensions of multi-dimensional partitions, by name. */
declare const dimensionTypes: unique symbol;

export type DimensionMap = Readonly<Record<string, DimensionPartitions>>;

/** One partition for every combination of the keys of its dimensions: "region=eu,month=2001-02". */
export interface MultiPartitions<Dimensions extends DimensionMap = DimensionMap> {
  readonly [dimensionTypes]: Dimensions;
  readonly kind: "multi";
  /** In the order in which a key names them. */
  readonly dimensions: readonly { readonly name: string; readonly definition: DimensionPartitions }[];
}

/** Any partitions definition: by time, by fixed or dynamic keys, or of several dimensions. */
export type AnyPartitions = DimensionPartitions | MultiPartitions;

/** The dimensions of `P` by name. */
export type DimensionsOf<P> = P extends { readonly [dimensionTypes]: infer Dimensions } ? Dimensions : never;

/** From when to when, and in which zone, the windows of a time partitions definition run. */
export interface TimeWindowOptions<Zone extends string> {
  /** First window, for example "2026-01-01", in `timezone`; inclusive. */
  readonly start: string;
  /** Exclusive; leave it out for an open end. */
  readonly end?: string;
  /** IANA name; default "UTC". */
  readonly timezone?: Zone;
}

function timeWindows<Cron extends string, Zone extends string>(
  cron: Cron,
  options: TimeWindowOptions<Zone>,
): TimeWindowPartitions<Cron, Zone> {
  const timezone = (options?.timezone ?? "UTC") as Zone;
  const end = options?.end;
  return Object.freeze({
    kind: "timeWindow",
    cron,
    timezone,
    start: options?.start,
    ...(end !== undefined && { end }),
  });
}

/** One partition an hour; keys carry the offset: "2026-10-25T02:00+02:00". */
export function hourlyPartitions<const Zone extends string = "UTC">(options: TimeWindowOptions<Zone>) {
  return timeWindows("0 * * * *", options);
}

/** One partition a day: "2001-01-31". */
export function dailyPartitions<const Zone extends string = "UTC">(options: TimeWindowOptions<Zone>) {
  return timeWindows("0 0 * * *", options);
}

/** One partition a week, beginning on Monday; keys are that day: "2001-01-01". */
export function weeklyPartitions<const Zone extends string = "UTC">(options: TimeWindowOptions<Zone>) {
  return timeWindows("0 0 * * 1", options);
}

/** One partition a month: "2001-01". */
export function monthlyPartitions<const Zone extends string = "UTC">(options: TimeWindowOptions<Zone>) {
  return timeWindows("0 0 1 * *", options);
}

/** Windows between the ticks of a five-field cron expression. */
export function cronPartitions<const Cron extends string, const Zone extends string = "UTC">(
  options: TimeWindowOptions<Zone> & { readonly cron: Cron },
) {
  return timeWindows(options?.cron, options);
}

/** A fixed list of keys: `staticPartitions(["eu", "us"])`. */
export function staticPartitions<const Key extends string>(keys: readonly Key[]): StaticPartitions<Key> {
  return Object.freeze({
    kind: "static",
    keys: Array.isArray(keys) ? Object.freeze<readonly Key[]>([...(keys as readonly Key[])]) : keys,
  });
}

/**
 * Partitions whose keys are added and removed by command (`headgate partition add flights/customers acme`) or by API.
 * Assets of one team that give the same name share the keys.
 */
export function dynamicPartitions<const Name extends string>(options: {
  /** 1 to 63 of a-z, 0-9, "_" and "-", starting with a letter or digit. */
  readonly name: Name;
}): DynamicPartitions<Name> {
  return Object.freeze({ kind: "dynamic", name: options?.name });
}

/**
 * One partition for every combination of keys: `multiPartitions({ region: staticPartitions(["eu", "us"]), month })`. At
 * most one dimension grows: is windows of time, or dynamic.
 */
export function multiPartitions<const Dimensions extends DimensionMap>(
  dimensions: Dimensions,
): MultiPartitions<Dimensions> {
  const named = Object.entries(dimensions ?? {}).map(([name, definition]) => Object.freeze({ name, definition }));
  return Object.freeze({ kind: "multi", dimensions: Object.freeze(named) }) as unknown as MultiPartitions<Dimensions>;
}

/** A window of time; half-open. */
export interface PartitionWindow {
  readonly start: Date;
  readonly end: Date;
}

export type NotPartitioned =
  HeadgateTypeError<"This asset is not partitioned: give it `partitions` to use `context.partition`."> | undefined;

type KeyOf<D> = D extends StaticPartitions<infer Key> ? Key : string;

/** The names of the dimensions of `Dimensions` that are windows of time. */
export type TimeDimension<Dimensions> = {
  [Name in keyof Dimensions]: Dimensions[Name] extends TimeWindowPartitions ? Name : never;
}[keyof Dimensions];

type WindowOf<Dimensions> = [TimeDimension<Dimensions>] extends [never]
  ? { readonly window?: undefined }
  : { readonly window: PartitionWindow };

/** What compute and checks know of the partition at hand, by the asset's partitions definition. */
export type PartitionOf<P> = P extends TimeWindowPartitions
  ? { readonly key: string; readonly window: PartitionWindow }
  : P extends StaticPartitions<infer Key>
    ? { readonly key: Key; readonly window?: undefined }
    : P extends DynamicPartitions
      ? { readonly key: string; readonly window?: undefined }
      : P extends MultiPartitions<infer Dimensions>
        ? {
            readonly key: string;
            /** The key of each dimension, by its name. */
            readonly dimensions: { readonly [Name in keyof Dimensions]: KeyOf<Dimensions[Name]> };
          } & WindowOf<Dimensions>
        : NotPartitioned;
