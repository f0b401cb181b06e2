import type pg from "pg";
import type { Graph } from "../domain/asset-graph.ts";

/** A schedule or sensor that a graph serves, as its row says it. */
interface Automation {
  readonly name: string;
  readonly kind: "schedule" | "sensor";
  readonly location: string;
  /** Null: it follows no clock. */
  readonly cadence: string | null;
}

/**
 * Keeps a row for every automation of the graph, in the transaction that changes it: new ones, and those that move or get
 * another cadence, begin now; those that vanish are retired. Rows are locked by name, ascending.
 */
export async function recordAutomations(tx: pg.PoolClient, before: Graph, after: Graph, nowMs: number): Promise<void> {
  const [old, next] = [automationsOf(before), automationsOf(after)];
  const same = (a: Automation | undefined, b: Automation): boolean =>
    a?.kind === b.kind && a.location === b.location && a.cadence === b.cadence;
  const gone = [...old.keys()].filter((name) => !next.has(name));
  if (gone.length > 0) {
    await tx.query(
      `with locked as (select name from automations where name = any ($1) order by name for no key update)
       update automations a set retired_at = to_timestamp($2::double precision / 1000) from locked
         where a.name = locked.name and a.retired_at is null`,
      [gone, nowMs],
    );
  }
  const fresh = [...next.values()].filter((automation) => !same(old.get(automation.name), automation));
  if (fresh.length === 0) return;
  await tx.query(
    `insert into automations as a (name, kind, location, cadence, watermark)
       select name, kind, location, cadence, case when cadence is not null then to_timestamp($2::double precision / 1000) end
         from jsonb_to_recordset($1) as x (name text, kind text, location text, cadence text) order by name
     on conflict (name) do update set kind = excluded.kind, location = excluded.location, cadence = excluded.cadence,
       retired_at = null, cursor = case when a.kind = excluded.kind then a.cursor end,
       watermark = case when a.retired_at is null and a.cadence = excluded.cadence then a.watermark
         else excluded.watermark end`,
    [JSON.stringify(fresh), nowMs],
  );
}

function automationsOf({ schedules, sensors }: Graph): ReadonlyMap<string, Automation> {
  const automations = [
    ...[...schedules.values()].map(({ name, location, times }) => {
      return { name, kind: "schedule", location, cadence: times.text } as const;
    }),
    ...[...sensors.values()].map(({ name, location }) => ({ name, kind: "sensor", location, cadence: null }) as const),
  ];
  return new Map(automations.map((automation) => [automation.name, automation]));
}
