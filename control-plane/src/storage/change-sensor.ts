import type pg from "pg";

/** Has a sensor evaluated from now on, at once and as if it had never failed, or no more. */
export async function switchSensor(tx: pg.PoolClient, name: string, isOn: boolean, actor: string): Promise<void> {
  await tx.query(
    `update automations set is_on = $2, switched_by = $3, switched_at = clock_timestamp(),
         due_at = case when $2 then null else due_at end, failures = case when $2 then 0 else failures end
       where name = $1 and kind = 'sensor'`,
    [name, isOn, actor],
  );
}

/** Asks for an evaluation; returns the tick that it will be: the one that is open already, if there is one. */
export async function askEvaluation(tx: pg.PoolClient, name: string, id: string, actor: string): Promise<string> {
  await tx.query(
    `insert into ticks (id, automation, asked_by, state, definition_hash) values ($1, $2, $3, 'requested', '')
       on conflict (automation) where scheduled_at is null and ended_at is null do nothing`,
    [id, name, actor],
  );
  const { rows } = await tx.query<{ id: string }>(
    "select id from ticks where automation = $1 and scheduled_at is null and ended_at is null",
    [name],
  );
  return rows[0]?.id ?? id;
}

/** Sets where the next evaluation goes on from. An evaluation that is under way from another cursor comes to nothing. */
export async function setCursor(tx: pg.PoolClient, name: string, cursor: string | null): Promise<string | null> {
  const { rows } = await tx.query<{ before: string | null }>(
    `with locked as (select name, cursor as before from automations where name = $1 and kind = 'sensor' for no key update)
     update automations a set cursor = $2, cursor_revision = cursor_revision + 1, due_at = null
       from locked where a.name = locked.name returning locked.before`,
    [name, cursor],
  );
  return rows[0]?.before ?? null;
}
