import type pg from "pg";

/** One change of definitions or owners at a time, over all locations: what gates an asset may be defined in several. */
const definitionsLock = 7_205_759_403_792_795n;

/** Held until the transaction ends. Taken before any gate. Returns the database's time, in Unix milliseconds. */
export async function lockDefinitions(tx: pg.PoolClient): Promise<number> {
  await tx.query("select pg_advisory_xact_lock($1)", [definitionsLock]);
  const { rows } = await tx.query<{ now: Date }>("select clock_timestamp() as now");
  return rows[0]?.now.getTime() ?? 0;
}
