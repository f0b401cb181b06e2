import { randomUUID } from "node:crypto";
import type { ItemOf } from "../api-client.ts";
import { type CommandContext, print } from "../command-context.ts";
import { agoText } from "../duration-text.ts";
import { exitStatus } from "../exit-status.ts";
import { table } from "../table.ts";
import { followLaunched } from "./materialize.ts";

export async function checkList(context: CommandContext, selection: string | undefined): Promise<number> {
  const items = await context.api.list("listChecks", "/checks", { selection });
  print(context, { items }, () =>
    table(
      context.paint,
      ["ASSET", "CHECK", "OWNER", "BLOCKING", "LATEST", "PARTITION", "WHEN"],
      items.map((check) => [
        check.asset,
        check.name,
        check.team,
        check.required ? "yes" : "no",
        latestText(check),
        check.latest?.partition ?? "",
        check.latest === null ? "" : agoText(check.latest.at, context.terminal.now()),
      ]),
      [4],
    ),
  );
  return exitStatus.succeeded;
}

function latestText({ latest, reportedBy }: ItemOf<"listChecks">): string {
  if (latest === null) return reportedBy === null ? "never run" : "never reported";
  return latest.current ? latest.outcome : `${latest.outcome} (outdated)`;
}

export interface CheckRunOptions {
  readonly version?: string;
  readonly partitions?: string;
  readonly partition?: string;
  readonly detach?: boolean;
  readonly idempotencyKey?: string;
}

export async function checkRun(
  context: CommandContext,
  asset: string,
  check: string | undefined,
  options: CheckRunOptions,
): Promise<number> {
  const partitions = options.partitions ?? options.partition;
  const run = await context.api.send("runChecks", "POST", "/checks/run", {
    body: {
      asset,
      ...(check === undefined ? {} : { check }),
      ...(options.version === undefined ? {} : { version: options.version }),
      ...(partitions === undefined ? {} : { partitions }),
    },
    idempotencyKey: options.idempotencyKey ?? randomUUID(),
  });
  return followLaunched(context, run, options.detach ?? false);
}
