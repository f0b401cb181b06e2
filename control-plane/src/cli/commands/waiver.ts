import { randomUUID } from "node:crypto";
import { segment } from "../api-client.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, print } from "../command-context.ts";
import { exitStatus } from "../exit-status.ts";
import { stepName } from "../run-summary.ts";
import { table } from "../table.ts";
import { resolveVersion } from "./asset.ts";

export interface WaiveOptions {
  readonly partition?: string;
  readonly check?: string;
  readonly reason: string;
  readonly until: string;
  readonly idempotencyKey?: string;
}

/** Accepts one version although a check holds its gate closed. */
export async function waive(context: CommandContext, target: string, options: WaiveOptions): Promise<number> {
  const { key, version } = await resolveVersion(context, target, options);
  const answer = await context.api.send(
    "createWaiver",
    "POST",
    `/assets/${segment(key)}/versions/${segment(version)}/waiver`,
    {
      body: {
        ...checkFields(options.check),
        reason: options.reason,
        until: await readUntil(options.until, context.terminal.now()),
      },
      idempotencyKey: options.idempotencyKey ?? randomUUID(),
    },
  );
  print(context, answer, () =>
    [
      `${answer.check} is waived for version ${version} of ${stepName(answer)} until ${answer.until}.`,
      `To end it before: npx headgate waiver revoke ${answer.id}`,
      "",
    ].join("\n"),
  );
  return exitStatus.succeeded;
}

/** A check of another team than the asset's is written `team:name`. */
export function checkFields(check: string | undefined): { check?: string; team?: string } {
  if (check === undefined) return {};
  const at = check.indexOf(":");
  return at < 0 ? { check } : { check: check.slice(at + 1), team: check.slice(0, at) };
}

/** `7d` from now, or a date or time. */
async function readUntil(text: string, nowMs: number): Promise<string> {
  const { parseDurationMs } = await import("@headgate/model");
  const durationMs = parseDurationMs(text);
  const untilMs = durationMs === undefined ? Date.parse(text) : nowMs + durationMs;
  if (Number.isNaN(untilMs)) {
    throw new CliError(
      "cli.bad_until",
      `--until ${text} is neither a span nor a time.`,
      "For example 7d or 2026-12-31.",
    );
  }
  return new Date(untilMs).toISOString();
}

export async function waiverList(
  context: CommandContext,
  options: { readonly asset?: string; readonly all?: boolean },
): Promise<number> {
  const query = { asset: options.asset, ...(options.all === true ? {} : { inForce: "true" }) };
  const items = await context.api.list("listWaivers", "/waivers", query);
  print(context, { items }, () =>
    table(
      context.paint,
      ["WAIVER", "ASSET", "PARTITION", "CHECK", "STATE", "UNTIL", "BY", "REASON"],
      items.map((waiver) => [
        waiver.id,
        waiver.asset,
        waiver.partition,
        waiver.check,
        waiver.inForce ? "in force" : "ended",
        waiver.until,
        waiver.actor,
        waiver.reason,
      ]),
    ),
  );
  return exitStatus.succeeded;
}

export async function waiverRevoke(context: CommandContext, id: string): Promise<number> {
  const waiver = await context.api.get("getWaiver", `/waivers/${segment(id)}`);
  const path = `/assets/${segment(waiver.asset)}/versions/${segment(waiver.version)}/waiver`;
  const query = { check: waiver.check, team: waiver.team };
  const answer = await context.api.send("revokeWaiver", "DELETE", path, { query, idempotencyKey: `revoke-${id}` });
  print(context, answer, () => `The waiver of ${waiver.check} for ${stepName(waiver)} has ended.\n`);
  return exitStatus.succeeded;
}
