import { randomUUID } from "node:crypto";
import { segment } from "../api-client.ts";
import { type CommandContext, print } from "../command-context.ts";
import { exitStatus } from "../exit-status.ts";

interface OwnerOptions {
  readonly idempotencyKey?: string;
}

/** Moves an asset to another location of its team. */
export async function ownerTransfer(
  context: CommandContext,
  asset: string,
  { to, idempotencyKey }: OwnerOptions & { readonly to: string },
): Promise<number> {
  const answer = await context.api.send("transferAsset", "POST", `/assets/${segment(asset)}/owner/transfer`, {
    body: { location: to },
    idempotencyKey: idempotencyKey ?? randomUUID(),
  });
  print(context, answer, () => {
    const from = answer.previous === null ? "" : `, and no longer to ${answer.previous}. Remove it there`;
    return `${answer.asset} belongs to location ${answer.location ?? to}${from}.\n`;
  });
  return exitStatus.succeeded;
}

/** Frees the key of an absent location. */
export async function ownerRelease(
  context: CommandContext,
  asset: string,
  { idempotencyKey }: OwnerOptions,
): Promise<number> {
  const answer = await context.api.send("releaseAsset", "POST", `/assets/${segment(asset)}/owner/release`, {
    idempotencyKey: idempotencyKey ?? randomUUID(),
  });
  print(context, answer, () =>
    answer.location === null
      ? `${answer.asset} is free: the next location of team ${answer.team} that defines it gets it.\n`
      : `${answer.asset} belongs to location ${answer.location} now, which defines it.\n`,
  );
  return exitStatus.succeeded;
}
