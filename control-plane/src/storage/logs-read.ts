import { type Kysely, sql } from "kysely";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";
import type { Schema } from "./schema.ts";

/** Within a step this order is that of writing, so that a reader who asks again from it misses nothing. */
export interface LogPosition {
  readonly step: number;
  readonly attempt: number;
  readonly sequence: number;
}

export interface LogRow extends LogPosition {
  readonly assetKey: string;
  readonly partition: string;
  readonly stream: "stdout" | "stderr" | "log";
  readonly at: Date;
  readonly body: Buffer;
  readonly droppedBytes: number;
}

export interface LogFilter {
  readonly step?: number | undefined;
  readonly attempt?: number | undefined;
  readonly stream?: LogRow["stream"] | undefined;
}

export async function listLogs(
  db: Kysely<Schema>,
  runId: string,
  filter: LogFilter,
  page: PageRequest<LogPosition>,
): Promise<Page<LogRow, LogPosition>> {
  const { step, attempt, stream } = filter;
  const { after } = page;
  const { rows } = await sql<LogRow>`
    select a.step_index as step, a.number as attempt, l.sequence, a.asset_key as "assetKey",
      a.partition_key as partition, l.stream, l.at, l.body, l.dropped_bytes as "droppedBytes"
    from attempts a join log_chunks l on l.attempt_id = a.id
    where a.run_id = ${runId}
      ${step === undefined ? sql`` : sql`and a.step_index = ${step}`}
      ${attempt === undefined ? sql`` : sql`and a.number = ${attempt}`}
      ${stream === undefined ? sql`` : sql`and l.stream = ${stream}`}
      ${after === undefined ? sql`` : sql`and (a.step_index, a.number, l.sequence) > (${after.step}, ${after.attempt}, ${after.sequence})`}
    order by a.step_index, a.number, l.sequence limit ${page.limit + 1}`.execute(db);
  return pageOf(rows, page.limit, ({ step, attempt, sequence }) => ({ step, attempt, sequence }));
}
