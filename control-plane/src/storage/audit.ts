import type { Kysely, Selectable } from "kysely";
import type pg from "pg";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";
import type { Schema } from "./schema.ts";

export type AuditRow = Selectable<Schema["audit"]>;

export interface AuditEntry {
  readonly actor: string;
  /** For example "waiver.create". */
  readonly action: string;
  /** What it was done to: an asset key, a run id. */
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Records who did what, in the transaction that does it. */
export async function writeAudit(tx: pg.PoolClient, entry: AuditEntry): Promise<void> {
  await tx.query("insert into audit (actor, action, subject, details) values ($1, $2, $3, $4)", [
    entry.actor,
    entry.action,
    entry.subject,
    JSON.stringify(entry.details),
  ]);
}

export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  /** Of an asset: also what was done to it under its former keys. */
  readonly subject?: string | undefined;
}

/** Newest first; the position is the id. */
export async function listAudit(
  db: Kysely<Schema>,
  filter: AuditFilter,
  page: PageRequest<number>,
): Promise<Page<AuditRow, number>> {
  let query = db
    .selectFrom("audit")
    .selectAll()
    .orderBy("id", "desc")
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where("id", "<", page.after);
  if (filter.actor !== undefined) query = query.where("actor", "=", filter.actor);
  if (filter.action !== undefined) query = query.where("action", "=", filter.action);
  if (filter.subject !== undefined) {
    const { subject } = filter;
    query = query.where((where) =>
      where.or([
        where("subject", "=", subject),
        where(
          "subject",
          "in",
          where
            .selectFrom("asset_renames")
            .select("old_key")
            .where("key", "=", subject)
            .where("done_at", "is not", null),
        ),
      ]),
    );
  }
  return pageOf(await query.execute(), page.limit, (row) => row.id);
}
