import { printable } from "../cli/printable.ts";
import type { Graph, GraphError } from "../domain/graph.ts";
import { reasonText } from "../domain/reason-text.ts";
import type { Reason } from "../domain/reason.ts";
import type { EventFeed } from "../http/event-feed.ts";
import type { EventRow } from "../storage/events-read.ts";

export interface DevReportOptions {
  /** The newest event that is not to be told. */
  readonly after: number;
  /** As of now. */
  readonly graph: () => Promise<Graph>;
  /** Resolves once every location of the workspace has loaded or is reported. */
  readonly loaded: Promise<unknown>;
  /** When what a location now loads was saved, in Unix milliseconds; told once for each save. */
  readonly takeSave?: (location: string) => number | undefined;
  readonly signal: AbortSignal;
}

/** What `dev` tells on the terminal while it runs: a line for what somebody who looks there would want to know. */
export async function reportEvents(
  feed: EventFeed,
  { after, graph, loaded, takeSave, signal }: DevReportOptions,
): Promise<void> {
  // What reads another team's asset is refused until that team has loaded too: nothing that anybody has to mend.
  let early: Set<string> | undefined = new Set();
  const told = loaded.then(async () => {
    const names = early ?? [];
    early = undefined;
    for (const name of names) say(definitionsLine(name, await graph()));
  });
  // Whoever waits for `told` gets its error.
  told.catch(() => undefined);
  for await (const item of feed.follow(after, undefined, signal)) {
    if (item.kind === "reset") continue;
    for (const event of item.events) {
      if (event.kind !== "definitions_changed") {
        say(lineOf(event));
        continue;
      }
      const location = event.location ?? "";
      if (early !== undefined) {
        early.add(location);
        continue;
      }
      const now = await graph();
      const savedAtMs = takeSave?.(location);
      say(definitionsLine(location, now, { payload: event.payload, savedAtMs, nowMs: Date.now() }));
    }
  }
  await told;
}

function say(line: string | undefined): void {
  if (line !== undefined) process.stdout.write(`${shown(line)}\n`);
}

const lineLengthMax = 400;

/** What user code says may be long, and must not redraw the terminal. */
function shown(text: string): string {
  return printable(text)
    .split("\n")
    .map((line) => (line.length <= lineLengthMax ? line : `${line.slice(0, lineLengthMax - 1)}…`))
    .join("\n");
}

/** What `dev` says of an event; undefined: nothing. */
export function lineOf(event: EventRow): string | undefined {
  const place = `${event.asset_key ?? ""}${event.partition_key ? ` ${event.partition_key}` : ""}`;
  switch (event.kind) {
    case "gate_closed": {
      const reasons = event.payload["reasons"] as readonly Reason[];
      return `✕ gate shut   ${reasons.map(reasonText).join("; ")}`;
    }
    case "gate_opened":
      return `✓ gate open   ${place}`;
    case "step_succeeded":
      return `✓ made        ${place}`;
    case "step_failed": {
      const error = event.payload["error"] as { message: string } | undefined;
      return `✕ failed      ${place}: ${error?.message ?? "no reason was given"}`;
    }
    case "version_published":
      return `✓ published   ${place}`;
    case "publish_failed": {
      const error = event.payload["error"] as { message: string } | undefined;
      return `✕ unpublished ${place}: ${error?.message ?? "no reason was given"}`;
    }
    case "tick_launched":
      return `● tick        ${tickName(event)}: ${count(Number(event.payload["runCount"]), "run")}`;
    case "tick_missed":
      return `● missed      ${tickName(event)}: ${count(Number(event.payload["missedCount"]), "tick")}, since nobody was there`;
    case "tick_failed": {
      const error = event.payload["error"] as { message: string } | undefined;
      return `✕ tick failed ${tickName(event)}: ${error?.message ?? "no reason was given"}`;
    }
    default:
      return undefined;
  }
}

function tickName({ payload }: EventRow): string {
  return String(payload["automation"]);
}

interface LoadedChange {
  /** Of the event `definitions_changed`. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Undefined: no save is known to have caused it. */
  readonly savedAtMs: number | undefined;
  readonly nowMs: number;
}

/** "+1 −0 ~2 assets, live 412 ms after the save" */
function changeText({ payload, savedAtMs, nowMs }: LoadedChange): string {
  const assets = (name: string) => {
    const keys = payload[name];
    // A check is told by its key too, which names its asset.
    return Array.isArray(keys) ? keys.filter((key) => typeof key === "string" && !key.includes("@")).length : 0;
  };
  const live = savedAtMs === undefined ? "" : `, live ${Math.max(0, Math.round(nowMs - savedAtMs))} ms after the save`;
  return `: +${assets("added")} −${assets("removed")} ~${assets("changed")} assets${live}`;
}

/** What a location defines now, what of that is new, and what of it is refused. */
export function definitionsLine(location: string, graph: Graph, change?: LoadedChange): string {
  const assets = graph.order.filter((node) => node.location === location && !node.retired);
  const checks = graph.order.flatMap((node) => node.checks).filter((check) => check.location === location);
  const errors = graph.errors.filter((error) => error.location === location);
  const sensors = [...graph.sensors.values()].filter((sensor) => sensor.location === location).length;
  const counts = [
    count(assets.length, "asset"),
    count(checks.length, "check"),
    ...(sensors > 0 ? [count(sensors, "sensor")] : []),
  ].join(", ");
  const lines = [`● ${location}: ${counts}${change === undefined ? "" : changeText(change)}`];
  for (const [first, ...others] of grouped(errors).values()) {
    const { key, message, hint, source } = first!;
    const at = source === undefined ? "" : ` (${source.file}:${source.line})`;
    lines.push(`  refused: ${key}${at}: ${message}`, `    ${hint}`);
    if (others.length > 0) lines.push(`    So are ${others.length} more, for the same reason: ${named(others)}`);
  }
  for (const { key, message, hint } of graph.warnings.filter((warning) => warning.location === location)) {
    lines.push(`  warning: ${key}: ${message}`, `    ${hint}`);
  }
  return lines.join("\n");
}

/** Who saves wants to know that it was seen. */
export function unchangedLine(location: string, afterMs: number): string {
  return `● ${location}: reloaded, no definition changed, live ${Math.max(0, Math.round(afterMs))} ms after the save`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

const namedMax = 3;

function named(errors: readonly GraphError[]): string {
  const keys = errors.slice(0, namedMax).map(({ key }) => key);
  return `${keys.join(", ")}${errors.length > namedMax ? ", …" : ""}`;
}

/** One line that does not parse refuses whatever its module defines: what is mended together is told together. */
function grouped(errors: readonly GraphError[]): Map<string, GraphError[]> {
  const groups = new Map<string, GraphError[]>();
  for (const error of errors) {
    const remedy = JSON.stringify([error.code, error.hint, error.source?.file]);
    groups.set(remedy, [...(groups.get(remedy) ?? []), error]);
  }
  return groups;
}
