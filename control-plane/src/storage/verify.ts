import type pg from "pg";
import { withTransaction } from "./database.ts";
import type { HistoryRule, Invariant } from "./history-rule.ts";
import { historyRules } from "./verify-history.ts";
import { isolationRules } from "./verify-isolation.ts";
import { ownershipRules } from "./verify-ownership.ts";
import { validationRules } from "./verify-validation.ts";

/** A rule that the history breaks, with the first place where it does. */
export interface Violation {
  /** Stable, for example "validation.read_open". */
  readonly rule: string;
  readonly invariant: Invariant;
  /** What should hold. */
  readonly rules: string;
  /** What was found first. */
  readonly found: string;
  /** Ids and keys of what was found, by name. */
  readonly ids: Readonly<Record<string, unknown>>;
  /** In how many places it is broken. */
  readonly count: number;
}

/** Every rule, in the order in which they are checked. */
export const verifiedRules: readonly HistoryRule[] = [
  ...historyRules,
  ...validationRules,
  ...isolationRules,
  ...ownershipRules,
];

/** How much history there was to check. */
export interface HistorySize {
  readonly runs: number;
  readonly attempts: number;
  readonly versions: number;
  readonly events: number;
}

/**
 * Recomputes every invariant from the database alone, of one snapshot, and names the first violation of each rule. It
 * shares no code with the gate. The server works in sets; this side holds one row a rule.
 */
export async function verify(pool: pg.Pool): Promise<Violation[]> {
  return withSnapshot(pool, async (tx) => {
    const violations: Violation[] = [];
    for (const { id, invariant, says, violations: text } of verifiedRules) {
      const { rows } = await tx.query<{ found: string; ids: Record<string, unknown>; count: number }>(
        `with violations as (${text}) select found, ids, (select count(*) from violations) as count
         from violations order by position nulls last, found limit 1`,
      );
      const first = rows[0];
      if (first !== undefined) violations.push({ rule: id, invariant, rules: says, ...first });
    }
    return violations;
  });
}

export async function historySize(pool: pg.Pool): Promise<HistorySize> {
  const { rows } = await pool.query<HistorySize>(
    `select (select count(*) from runs) as runs, (select count(*) from attempts) as attempts,
       (select count(*) from versions) as versions, (select count(*) from events) as events`,
  );
  return rows[0] ?? { runs: 0, attempts: 0, versions: 0, events: 0 };
}

/** What goes on meanwhile is not seen; long statements are not cut off. */
function withSnapshot<T>(pool: pg.Pool, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  return withTransaction(pool, async (tx) => {
    await tx.query("set transaction isolation level repeatable read, read only");
    await tx.query("set local statement_timeout = 0");
    return work(tx);
  });
}
