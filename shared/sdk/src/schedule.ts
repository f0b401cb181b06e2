import type { AnySpec } from "./asset-spec.ts";
import { rememberSite } from "./construction-site.ts";
import type { AnyMultiAsset } from "./multi-asset.ts";

/**
 * What a schedule launches: assets of its own team, or a selection such as "group:daily". What a selection reaches of
 * other teams is left out.
 */
export type ScheduleTarget = AnySpec | AnyMultiAsset | readonly (AnySpec | AnyMultiAsset)[] | string;

interface ScheduleBase {
  /** "team/name", as an asset's key. */
  readonly name: string;
  readonly target: ScheduleTarget;
  readonly description?: string | undefined;
  /** Config by asset key, as for a run that is launched by hand. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
  /** Tags of its runs. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Of its runs, -1,000 to 1,000: those with a higher one go first. Default 0. */
  readonly priority?: number | undefined;
  /**
   * Which of the ticks are fired that came while no control plane was running: the newest one, the newest N, or none.
   * Default: "latest"; of a partitioned schedule `{ all: 100 }`, since the window of a tick that is left out stays empty.
   */
  readonly catchUp?: "latest" | "none" | { readonly all: number } | undefined;
  /** Whether it ticks before anybody has started or stopped it. Default "on": what is deployed is meant to run. */
  readonly status?: "on" | "off" | undefined;
}

interface CronTimes {
  /** Five fields; of a list every instant that one of them names. */
  readonly cron: string | readonly string[];
  /** IANA name; default "UTC". */
  readonly timezone?: string | undefined;
}

interface WindowTimes {
  /** Default: when a window of the target closes. */
  readonly cron?: string | readonly string[] | undefined;
  /** IANA name; default: that of the target's partitions. */
  readonly timezone?: string | undefined;
  /** A run for each time window of the target that closed since the tick before. */
  readonly partitioned: true;
}

/** When something is launched, and what. */
export type ScheduleOptions = ScheduleBase & ((CronTimes & { readonly partitioned?: false | undefined }) | WindowTimes);

/** Launches runs at the instants of a cron. */
export interface Schedule extends ScheduleBase {
  readonly kind: "schedule";
  readonly cron?: string | readonly string[];
  readonly timezone?: string;
  readonly partitioned?: boolean;
}

/**
 * Declares a schedule: `schedule({ name: "orders/nightly", cron: "0 2 * * *", timezone: "Europe/Berlin", target: orders })`.
 * A cron with a fixed hour fires once a local time, also where clocks change; one with `*` in the hour follows elapsed
 * time. Never throws: what is wrong is reported where it is loaded, on this schedule alone.
 */
export function schedule(options: ScheduleOptions): Schedule {
  return rememberSite({ ...options, kind: "schedule" }, schedule) as Schedule;
}
