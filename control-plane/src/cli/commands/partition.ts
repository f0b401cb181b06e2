import { randomUUID } from "node:crypto";
import { segment } from "../api-client.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, print } from "../command-context.ts";
import { exitStatus } from "../exit-status.ts";
import { agoText } from "../duration-text.ts";
import { table } from "../table.ts";

interface ChangeOptions {
  readonly idempotencyKey?: string;
}

/** Dynamic sets; the keys of one. */
export async function partitionList(
  context: CommandContext,
  set: string | undefined,
  { limit }: { readonly limit: number },
): Promise<number> {
  const { paint, terminal } = context;
  if (set === undefined) {
    const answer = await context.api.get("listPartitionSets", "/partitions");
    print(context, answer, () =>
      table(
        paint,
        ["SET", "KEYS", "ASSETS"],
        answer.items.map(({ team, name, count, assets }) => [`${team}/${name}`, String(count), assets.join(", ")]),
      ),
    );
    return exitStatus.succeeded;
  }
  const answer = await context.api.get("listPartitions", pathOf(set), { limit });
  print(context, answer, () => {
    const rows = answer.items.map(({ key, addedBy, addedAt }) => [key, agoText(addedAt, terminal.now()), addedBy]);
    return table(paint, ["KEY", "ADDED", "BY"], rows) + (answer.next === null ? "" : "There are more: --limit.\n");
  });
  return exitStatus.succeeded;
}

/** Adds keys; those that are there stay. */
export async function partitionAdd(
  context: CommandContext,
  set: string,
  keys: readonly string[],
  { idempotencyKey }: ChangeOptions,
): Promise<number> {
  const answer = await context.api.send("addPartitions", "POST", pathOf(set), {
    body: { keys: [...keys] },
    idempotencyKey: idempotencyKey ?? randomUUID(),
  });
  print(context, answer, () => {
    const there = keys.length - answer.added.length;
    const rest = there === 0 ? "" : ` ${there} ${there === 1 ? "was" : "were"} there already.`;
    return `${set}: ${answer.added.length} added, ${answer.count} in all.${rest}\n`;
  });
  return exitStatus.succeeded;
}

/** Removes keys; versions that were made of them stay readable. */
export async function partitionRemove(
  context: CommandContext,
  set: string,
  keys: readonly string[],
  { idempotencyKey }: ChangeOptions,
): Promise<number> {
  const answer = await context.api.send("removePartitions", "POST", `${pathOf(set)}/remove`, {
    body: { keys: [...keys] },
    idempotencyKey: idempotencyKey ?? randomUUID(),
  });
  print(
    context,
    answer,
    () => `${set}: ${answer.removed.length} removed, ${answer.count} left. Their versions stay.\n`,
  );
  return exitStatus.succeeded;
}

function pathOf(set: string): string {
  const [team = "", name = "", ...more] = set.split("/");
  if (team !== "" && name !== "" && more.length === 0) return `/partitions/${segment(team)}/${segment(name)}`;
  throw new CliError(
    "cli.bad_set",
    `"${set}" is no set of partitions.`,
    "Write team/name, for example flights/customers; `npx headgate partition list` prints the sets.",
  );
}
