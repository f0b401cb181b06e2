import { randomUUID } from "node:crypto";
import { segment } from "../api-client.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, print } from "../command-context.ts";
import { agoText } from "../duration-text.ts";
import { exitStatus } from "../exit-status.ts";
import { stepName } from "../run-summary.ts";
import { table } from "../table.ts";

export async function poolList(context: CommandContext): Promise<number> {
  const answer = await context.api.get("listPools", "/pools");
  print(context, answer, () =>
    table(
      context.paint,
      ["POOL", "SLOTS", "HELD", "ASSETS"],
      answer.items.map(({ name, slots, held, assets }) => [name, slotsText(slots), String(held), assets.join(", ")]),
    ),
  );
  return exitStatus.succeeded;
}

/** Who has the slots of a pool. */
export async function poolShow(context: CommandContext, name: string): Promise<number> {
  const pool = await context.api.get("getPool", `/pools/${segment(name)}`);
  const nowMs = context.terminal.now();
  print(context, pool, () => {
    const set = pool.setAt === null ? "" : `, set ${agoText(pool.setAt, nowMs)} by ${pool.setBy ?? "?"}`;
    const rows = pool.holders.map((holder) => [
      stepName(holder),
      holder.state,
      agoText(holder.since, nowMs),
      holder.location,
      holder.run,
    ]);
    const holders =
      rows.length === 0 ? "" : table(context.paint, ["HELD BY", "STATE", "SINCE", "LOCATION", "RUN"], rows, [1]);
    return `Pool ${name}: ${pool.held} held, of ${slotsText(pool.slots)}${set}. Named by ${pool.assets.length} ${pool.assets.length === 1 ? "asset" : "assets"}.\n${holders}`;
  });
  return exitStatus.succeeded;
}

/** Sets how many slots it has; "unlimited" takes the limit away. */
export async function poolSet(
  context: CommandContext,
  name: string,
  slots: string,
  { idempotencyKey }: { readonly idempotencyKey?: string },
): Promise<number> {
  const count = slots === "unlimited" ? null : Number(slots);
  if (count !== null && (!/^\d+$/.test(slots) || count < 1)) {
    const hint = "Write a whole number from 1, or unlimited.";
    throw new CliError("cli.bad_slots", `"${slots}" is no number of slots.`, hint);
  }
  const pool = await context.api.send("setPool", "POST", `/pools/${segment(name)}`, {
    body: { slots: count },
    idempotencyKey: idempotencyKey ?? randomUUID(),
  });
  print(context, pool, () => {
    const unnamed = pool.assets.length === 0 ? ` No asset names it yet: asset({ pool: "${name}", ... }).` : "";
    return `Pool ${name} has ${slotsText(pool.slots)} now, ${pool.held} held.${unnamed}\n`;
  });
  return exitStatus.succeeded;
}

function slotsText(slots: number | null): string {
  return slots === null ? "no limit" : `${slots} ${slots === 1 ? "slot" : "slots"}`;
}
