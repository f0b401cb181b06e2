import { printable } from "../cli/printable.ts";
import type { Graph, GraphError } from "../domain/graph.ts";
import { reasonText } from "../domain/reason-text.ts";
import type { Reason } from "../domain/reason.ts";
import type { EventFeed } from "../http/event-feed.ts";
import type { EventRow } from "../storage/events-read.ts";

/** What `dev` tells on the terminal while it runs: a line for what somebody who looks there would want to know. */
export async function reportEvents(feed: EventFeed, graph: () => Promise<Graph>, signal: AbortSignal): Promise<void> {
  for await (const item of feed.follow(await feed.newest(), undefined, signal)) {
    if (item.kind === "reset") continue;
    for (const event of item.events) {
      const line = event.kind === "definitions_changed" ? await loadedLine(event, graph) : lineOf(event);
      if (line !== undefined) process.stdout.write(`${shown(line)}\n`);
    }
  }
}

const lineLengthMax = 400;

/** What user code says may be long, and must not redraw the terminal. */
function shown(text: string): string {
  return printable(text)
    .split("\n")
    .map((line) => (line.length <= lineLengthMax ? line : `${line.slice(0, lineLengthMax - 1)}…`))
    .join("\n");
}

async function loadedLine(event: EventRow, graph: () => Promise<Graph>): Promise<string> {
  return definitionsLine(event.location ?? "", await graph());
}

function lineOf(event: EventRow): string | undefined {
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
    default:
      return undefined;
  }
}

/** What a location defines now, and what of it is refused. */
export function definitionsLine(location: string, graph: Graph): string {
  const assets = graph.order.filter((node) => node.location === location && !node.retired);
  const checks = graph.order.flatMap((node) => node.checks).filter((check) => check.location === location);
  const errors = graph.errors.filter((error) => error.location === location);
  const lines = [`● ${location}: ${assets.length} assets, ${checks.length} checks`];
  for (const [first, ...others] of grouped(errors).values()) {
    const { key, message, hint, source } = first!;
    const at = source === undefined ? "" : ` (${source.file}:${source.line})`;
    lines.push(`  refused: ${key}${at}: ${message}`, `    ${hint}`);
    if (others.length > 0) lines.push(`    So are ${others.length} more, for the same reason: ${named(others)}`);
  }
  return lines.join("\n");
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
