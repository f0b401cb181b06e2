import { checkId } from "../../domain/asset-graph.ts";
import type { CheckChange } from "../../domain/check-change.ts";
import type { ScheduleChange } from "../../domain/schedule-change.ts";
import type { Consumer, WorkspaceDiff } from "../../domain/workspace-diff.ts";

/** A name is what somebody else chose, text is ours: a format that needs it escapes the one and not the other. */
export interface DiffPart {
  readonly kind: "name" | "text";
  readonly text: string;
}

export interface DiffSection {
  readonly title: string;
  readonly tone: "bad" | "other" | "good";
  readonly items: readonly (readonly DiffPart[])[];
}

const name = (text: string): DiffPart => ({ kind: "name", text });
const text = (words: string): DiffPart => ({ kind: "text", text: words });

/** A diff as both formats tell it: what needs somebody's eye first. Sections without items are left out. */
export function diffSections(diff: WorkspaceDiff): DiffSection[] {
  const { added, removed, unexported, changed, refused, checks, schedules } = diff;
  const sections: DiffSection[] = [
    {
      title: "Removed assets",
      tone: "bad",
      items: removed.map((asset) => [name(asset.key), ...consumerParts("still used by", asset.consumers)]),
    },
    {
      title: "No longer exported",
      tone: "bad",
      items: unexported.map(({ key, before, after, consumers }) => [
        name(key),
        text(": to "),
        name(before),
        text(" → to "),
        name(after),
        ...consumerParts("used by", consumers),
      ]),
    },
    {
      title: "Refused definitions",
      tone: "bad",
      items: refused.map(({ key, location, message, hint, source, served }) => [
        name(key),
        text(" in "),
        name(source === undefined || source.file === "" ? location : `${location}/${source.file}:${source.line}`),
        text(served ? ", which was good: " : ": "),
        name(message),
        text(" "),
        name(hint),
      ]),
    },
    { title: "Removed checks", tone: "bad", items: checks.removed.map(checkParts) },
    { title: "Weakened checks", tone: "bad", items: checks.weakened.map(checkParts) },
    { title: "Removed schedules", tone: "bad", items: schedules.removed.map(scheduleParts) },
    {
      title: "Changed assets",
      tone: "other",
      items: changed.map(({ key, changes }) => [
        name(key),
        text(": "),
        ...changes.flatMap((change, i) => [
          ...(i === 0 ? [] : [text("; ")]),
          name(change.text),
          ...(change.weakens ? [text(" (weaker)")] : []),
        ]),
      ]),
    },
    { title: "Changed schedules", tone: "other", items: schedules.changed.map(scheduleParts) },
    { title: "Added assets", tone: "good", items: added.map(({ key }) => [name(key)]) },
    { title: "Added checks", tone: "good", items: checks.added.map(checkParts) },
    { title: "Strengthened checks", tone: "good", items: checks.strengthened.map(checkParts) },
    { title: "Added schedules", tone: "good", items: schedules.added.map(scheduleParts) },
  ];
  return sections.filter(({ items }) => items.length > 0);
}

function consumerParts(verb: string, consumers: readonly Consumer[]): DiffPart[] {
  return consumers.flatMap(({ kind, key, team }, i) => [
    text(i === 0 ? `, ${verb} ` : ", "),
    ...(kind === "check" ? [text("check ")] : []),
    name(key),
    text(" of team "),
    name(team),
  ]);
}

function checkParts(check: CheckChange): DiffPart[] {
  return [
    name(checkId(check.asset, check.team, check.name)),
    text(check.blocking ? " (blocking)" : ""),
    ...check.texts.map((words, i) => text(`${i === 0 ? ": " : "; "}${words}`)),
  ];
}

function scheduleParts(schedule: ScheduleChange): DiffPart[] {
  return [name(schedule.name), ...schedule.texts.flatMap((words, i) => [text(i === 0 ? ": " : "; "), name(words)])];
}

/** "1 added, 2 changed, ..." with what is none left out. */
export function diffSummary(diff: WorkspaceDiff): string {
  const { added, removed, unexported, changed, refused, checks, schedules } = diff;
  const counts: [number, string][] = [
    [added.length, "added"],
    [removed.length, "removed"],
    [changed.length, "changed"],
    [unexported.length, "no longer exported"],
    [refused.length, "refused"],
    [checks.removed.length, `${plural("check", checks.removed.length)} removed`],
    [checks.weakened.length, `${plural("check", checks.weakened.length)} weakened`],
    [checks.added.length, `${plural("check", checks.added.length)} added`],
    [checks.strengthened.length, `${plural("check", checks.strengthened.length)} strengthened`],
    [schedules.removed.length, `${plural("schedule", schedules.removed.length)} removed`],
    [schedules.changed.length, `${plural("schedule", schedules.changed.length)} changed`],
    [schedules.added.length, `${plural("schedule", schedules.added.length)} added`],
  ];
  const told = counts.filter(([count]) => count > 0).map(([count, words]) => `${count} ${words}`);
  return told.length === 0 ? "Nothing changes." : `${told.join(", ")}.`;
}

function plural(noun: string, count: number): string {
  return count === 1 ? noun : `${noun}s`;
}
