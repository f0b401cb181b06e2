import { listAudit } from "../../storage/audit.ts";
import { encodeCursor, numberCursor } from "../cursor.ts";
import { presentTime } from "../present-run.ts";
import type { Handlers } from "../request.ts";

export const auditRoute: Pick<Handlers, "listAudit"> = {
  async listAudit(context, { query }) {
    const { limit, after, ...filter } = query;
    const position = numberCursor(after);
    const page = await listAudit(context.db, filter, { limit, ...(position === undefined ? {} : { after: position }) });
    return {
      items: page.items.map((row) => ({
        id: row.id,
        at: presentTime(row.at),
        actor: row.actor,
        action: row.action,
        subject: row.subject,
        details: row.details as Record<string, unknown>,
      })),
      next: page.next === undefined ? null : encodeCursor(page.next),
    };
  },
};
