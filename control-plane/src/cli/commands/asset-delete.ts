import { randomUUID } from "node:crypto";
import { segment } from "../api-client.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, print } from "../command-context.ts";
import { exitStatus } from "../exit-status.ts";
import { printable } from "../printable.ts";

interface DeleteOptions {
  readonly confirm?: string;
  readonly idempotencyKey?: string;
}

/** Deletes an asset that is gone for good, with its history. Nobody is asked for the key who cannot answer. */
export async function assetDelete(
  context: CommandContext,
  asset: string,
  { confirm, idempotencyKey }: DeleteOptions,
): Promise<number> {
  if (confirm === undefined) {
    throw new CliError(
      "cli.not_confirmed",
      `The versions, check results and logs of ${asset} do not come back once they are deleted.`,
      `If it is ${asset} that should go: npx headgate asset delete ${asset} --confirm ${asset}`,
    );
  }
  const answer = await context.api.send("deleteAsset", "POST", `/assets/${segment(asset)}/delete`, {
    body: { confirm },
    idempotencyKey: idempotencyKey ?? randomUUID(),
  });
  print(context, answer, () => {
    const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;
    return [
      `${asset} is deleted. Its ${counted(answer.versions, "version")}, with results, waivers and logs, are being removed; its runs stay.`,
      ...answer.values.map(
        ({ scheme, place, count }) =>
          `${counted(count, "stored value")} stay${count === 1 ? "s" : ""} where ${count === 1 ? "it is" : "they are"}: ${scheme} ${printable(place)}`,
      ),
      ...(answer.published === 0
        ? []
        : [`Readers outside go on seeing what was published of ${counted(answer.published, "partition")}.`]),
      "",
    ].join("\n");
  });
  return exitStatus.succeeded;
}
