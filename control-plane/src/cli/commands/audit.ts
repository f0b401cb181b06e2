import { type CommandContext, print } from "../command-context.ts";
import { agoText } from "../duration-text.ts";
import { exitStatus } from "../exit-status.ts";
import { table } from "../table.ts";

export interface AuditListOptions {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly limit: number;
}

export async function auditList(context: CommandContext, { limit, ...filter }: AuditListOptions): Promise<number> {
  const items = await context.api.list("listAudit", "/audit", filter, limit);
  print(context, { items }, () =>
    table(
      context.paint,
      ["WHEN", "WHO", "DID", "TO", "DETAILS"],
      items.map((entry) => [
        agoText(entry.at, context.terminal.now()),
        entry.actor,
        entry.action,
        entry.subject,
        JSON.stringify(entry.details),
      ]),
    ),
  );
  return exitStatus.succeeded;
}
