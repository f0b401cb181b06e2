import type { ScheduleDefinition } from "@headgate/proto";
import {
  ModelError,
  assetKeyRule,
  canonicalJson,
  cleanText,
  parseAssetKey,
  teamOf,
  tickTimes,
  timeWindowsOf,
  windowText,
} from "@headgate/model";
import type { AnySpec } from "../asset-spec.ts";
import type { AnyMultiAsset } from "../multi-asset.ts";
import type { TimeWindowPartitions } from "../partitions.ts";
import type { Schedule } from "../schedule.ts";
import { spaceOf } from "./describe-partitions.ts";
import type { FieldRule } from "./fields.ts";
import {
  anything,
  checkFields,
  describeValue,
  filledText,
  flag,
  oneOf,
  record,
  refuseFailedModule,
  text,
  textRecord,
  texts,
  wholeNumber,
} from "./fields.ts";
import { DefinitionProblem } from "./problem.ts";
import { sortedRecord } from "./sorted-record.ts";

/** The most missed ticks that a schedule may ask to have fired. */
const catchUpMax = 1_000;
/** Of a partitioned schedule that does not say. */
const catchUpOfWindows = 100;

const scheduleFields: Readonly<Record<string, FieldRule>> = {
  kind: anything,
  name: text,
  target: anything,
  cron: { is: (value) => filledText.is(value) || texts.is(value), words: "a cron or a list of crons" },
  timezone: filledText,
  partitioned: flag,
  description: text,
  config: {
    is: (value) => record.is(value) && Object.values(value as object).every(record.is),
    words: "fields by asset key",
  },
  tags: textRecord,
  priority: wholeNumber(-1_000, 1_000),
  catchUp: { is: isCatchUp, words: `"latest", "none" or { all: N } with N from 1 to ${catchUpMax}` },
  status: oneOf("on", "off"),
};

function isCatchUp(value: unknown): boolean {
  if (value === "latest" || value === "none") return true;
  return (
    record.is(value) &&
    Object.keys(value as object).join() === "all" &&
    wholeNumber(1, catchUpMax).is((value as { all: unknown }).all)
  );
}

/**
 * A schedule as it goes into the manifest.
 *
 * @throws DefinitionProblem
 */
export function describeSchedule(schedule: Schedule, team: string): ScheduleDefinition {
  checkName(schedule.name, team);
  const what = `schedule ${schedule.name}`;
  checkFields(what, schedule, scheduleFields);
  const { partitioned = false, config, tags, priority, status } = schedule;
  const assets = targetAssets(what, schedule, team);
  const windows = targetWindows(what, assets);
  checkWindows(what, { partitioned, windows, isSelection: typeof schedule.target === "string" });
  const crons = [schedule.cron ?? windows?.cron ?? []].flat();
  const timezone = schedule.timezone ?? (partitioned ? windows?.timezone : undefined) ?? "UTC";
  checkTimes(what, crons, timezone);
  return {
    name: schedule.name,
    description: cleanText(schedule.description ?? ""),
    crons,
    timezone,
    selection: typeof schedule.target === "string" ? schedule.target : assets.map(({ key }) => key).join(" or "),
    partitioned,
    config: config === undefined ? "" : canonicalConfig(what, config),
    tags: sortedRecord(tags ?? {}),
    priority: priority ?? 0,
    catchUpMax: missedTicks(schedule.catchUp, partitioned),
    startsOff: status === "off",
    source: undefined,
  };
}

/** @throws DefinitionProblem for a name that is none, or that is another team's */
function checkName(name: unknown, team: string): void {
  const parsed = typeof name === "string" ? parseAssetKey(name) : undefined;
  if (parsed === undefined) {
    const message = `${describeValue(name)} is not the name of a schedule: ${assetKeyRule}.`;
    throw new DefinitionProblem("definition.key_invalid", message, `Write it as "${team}/name".`);
  }
  if (teamOf(parsed) === team) return;
  throw new DefinitionProblem(
    "definition.other_team",
    `The schedule ${parsed} would belong to team "${teamOf(parsed)}", and these definitions are those of team "${team}".`,
    `Name it "${team}/...".`,
  );
}

/** The assets that the target names; of a selection none, since only the control plane knows what it selects. */
function targetAssets(what: string, { target }: Schedule, team: string): readonly AnySpec[] {
  if (typeof target === "string") {
    if (target.trim() !== "") return [];
    throw new DefinitionProblem(
      "definition.invalid",
      `The target of ${what} is empty.`,
      'Name assets, or write "group:daily".',
    );
  }
  refuseFailedModule(`The target of ${what}`, target);
  const items = ([target] as unknown[]).flat() as (AnySpec | AnyMultiAsset | undefined)[];
  const assets = items.flatMap((item, at) => {
    refuseFailedModule(`The target of ${what}`, item);
    const isMulti = (item as { kind?: unknown } | undefined)?.kind === "multiAsset";
    const specs = isMulti ? Object.values((item as AnyMultiAsset).assets) : [item as AnySpec | undefined];
    return specs.map((spec) => checkedTarget(what, spec, items.length === 1 ? "target" : `target[${at}]`, team));
  });
  if (assets.length > 0) return assets;
  throw new DefinitionProblem("definition.invalid", `The target of ${what} has no assets.`, "Name one at least.");
}

function checkedTarget(what: string, spec: AnySpec | undefined, at: string, team: string): AnySpec {
  const key = typeof spec?.key === "string" ? parseAssetKey(spec.key) : undefined;
  if (spec === undefined || key === undefined) {
    throw new DefinitionProblem(
      "definition.invalid",
      `"${at}" of ${what} is ${describeValue(spec)} and not an asset.`,
      "Import the asset; if it is imported, an import cycle is the usual reason.",
    );
  }
  if (teamOf(key) !== team) {
    throw new DefinitionProblem(
      "definition.other_team",
      `${what} targets ${key}, which belongs to team "${teamOf(key)}".`,
      `A schedule launches assets of its own team. Target what reads ${key}, or ask its team for a schedule.`,
    );
  }
  if ((spec as { kind?: unknown }).kind === "externalAsset") {
    throw new DefinitionProblem(
      "definition.invalid",
      `${what} targets ${key}, which is external: it is reported, and nothing here can make it.`,
      "Target what is computed from it.",
    );
  }
  return spec;
}

/** The time windows of the targets, which must be cut alike. */
function targetWindows(what: string, assets: readonly AnySpec[]): TimeWindowPartitions | undefined {
  let first: { readonly key: string; readonly windows: TimeWindowPartitions; readonly text: string } | undefined;
  for (const { key, partitions } of assets) {
    spaceOf(`the target ${key} of ${what}`, partitions);
    const windows = timeWindowsOf(partitions);
    if (windows === undefined) continue;
    const cut = windowText(windows);
    if (first === undefined) first = { key, windows, text: cut };
    if (first.text === cut) continue;
    throw new DefinitionProblem(
      "definition.partitions_differ",
      `${what} targets ${first.key} with the windows ${first.text}, and ${key} with ${cut}.`,
      "Make a schedule for each.",
    );
  }
  return first?.windows;
}

interface Windows {
  readonly partitioned: boolean;
  readonly windows: TimeWindowPartitions | undefined;
  readonly isSelection: boolean;
}

function checkWindows(what: string, { partitioned, windows, isSelection }: Windows): void {
  if (isSelection) return;
  if (partitioned && windows === undefined) {
    throw new DefinitionProblem(
      "definition.not_partitioned",
      `${what} is partitioned, and no asset of its target has time windows.`,
      "Leave `partitioned` out, or target an asset with dailyPartitions or the like.",
    );
  }
  if (!partitioned && windows !== undefined) {
    throw new DefinitionProblem(
      "definition.partitioned_target",
      `The target of ${what} has time windows, and every tick would make all of them.`,
      "Write `partitioned: true`: a tick then makes the windows that closed since the one before.",
    );
  }
}

function checkTimes(what: string, crons: readonly string[], timezone: string): void {
  if (crons.length === 0) {
    throw new DefinitionProblem("definition.invalid", `${what} has no cron.`, 'Give `cron`, such as "0 2 * * *".');
  }
  try {
    tickTimes(crons, timezone);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const code = error.code === "invalid_timezone" ? "definition.timezone_invalid" : "definition.cron_invalid";
    throw new DefinitionProblem(code, `${what}: ${error.message}.`, `${error.hint}.`);
  }
}

function canonicalConfig(what: string, config: NonNullable<Schedule["config"]>): string {
  try {
    return canonicalJson(config);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new DefinitionProblem(
      "definition.invalid",
      `The config of ${what} is not JSON: ${said}.`,
      "Give plain values.",
    );
  }
}

function missedTicks(catchUp: Schedule["catchUp"], partitioned: boolean): number {
  if (catchUp === undefined) return partitioned ? catchUpOfWindows : 1;
  return catchUp === "latest" ? 1 : catchUp === "none" ? 0 : catchUp.all;
}
