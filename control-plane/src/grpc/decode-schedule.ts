import { cronsMax } from "@headgate/model";
import type * as wire from "@headgate/proto";
import type { ScheduleDefinition } from "../domain/definitions.ts";
import { assetKeyText, boundedText, exactText, requiredText } from "./bounded-text.ts";
import { parseCleanJson } from "./clean-json.ts";
import { sourceLocation } from "./decode-source.ts";
import { bounded } from "./wire-bounds.ts";
import { WireError } from "./wire-error.ts";

const descriptionLengthMax = 8_192;
const selectionLengthMax = 65_536;
const configLengthMax = 262_144;
const tagsMax = 50;
const catchUpMax = 1_000;

/** A schedule as it came. Throws WireError; its crons, zone and target are judged where the graph is built. */
export function scheduleDefinition(schedule: wire.ScheduleDefinition): ScheduleDefinition {
  const tags = bounded("tags", Object.entries(schedule.tags), tagsMax).map(
    ([name, value]) => [requiredText("a tag's name", name, 63), exactText(`the tag ${name}`, value)] as const,
  );
  if (Math.abs(schedule.priority) > 1_000) {
    throw new WireError("wire.out_of_range", `the priority is ${schedule.priority}, not -1,000 to 1,000`);
  }
  if (schedule.catchUpMax > catchUpMax) {
    throw new WireError("wire.out_of_range", `catch_up_max is ${schedule.catchUpMax}, of at most ${catchUpMax}`);
  }
  return {
    kind: "schedule",
    name: assetKeyText("the schedule's name", schedule.name),
    description: boundedText(schedule.description, descriptionLengthMax),
    crons: bounded("crons", schedule.crons, cronsMax).map((cron) => requiredText("a cron", cron, 255)),
    timezone: requiredText("the schedule's timezone", schedule.timezone, 255),
    selection: requiredText("the schedule's selection", schedule.selection, selectionLengthMax),
    partitioned: schedule.partitioned,
    config: config(schedule.config),
    tags: Object.fromEntries(tags),
    priority: schedule.priority,
    catchUpMax: schedule.catchUpMax,
    startsOff: schedule.startsOff,
    source: sourceLocation(schedule.source ?? { file: "", line: 0 }),
  };
}

function config(text: string): ScheduleDefinition["config"] {
  if (text === "") return {};
  const parsed = parseCleanJson(exactText("the schedule's config", text, configLengthMax));
  const isRecord = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);
  if (parsed === undefined || !isRecord(parsed.value) || !Object.values(parsed.value as object).every(isRecord)) {
    throw new WireError("wire.invalid_text", "the schedule's config is no JSON object of fields by asset key");
  }
  return parsed.value as ScheduleDefinition["config"];
}
