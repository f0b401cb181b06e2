import type { Kysely } from "kysely";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";
import type { DefinitionErrorRow, Schema } from "./schema.ts";

const tickColumns = [
  "id",
  "automation",
  "state",
  "reason",
  "error",
  "asked_by",
  "run_count",
  "repeated_count",
  "refused_count",
  "refused",
  "evaluation_count",
  "cursor_before",
  "cursor_after",
  "log",
  "log_dropped_bytes",
  "created_at",
  "ended_at",
] as const;

/** Sensors that are defined, by name, each with its newest tick and the state of its location. */
export async function listSensors(db: Kysely<Schema>, names?: readonly string[]) {
  let query = db
    .selectFrom("automations as a")
    .innerJoin("locations as l", "l.name", "a.location")
    .select(["a.name", "a.location", "a.is_on", "a.switched_by", "a.switched_at", "a.cursor", "a.failures"])
    .select(["a.due_at", "a.evaluated_at", "a.claimed_by", "l.state as location_state", "l.error as location_error"])
    .where("a.kind", "=", "sensor")
    .where("a.retired_at", "is", null)
    .orderBy("a.name");
  if (names !== undefined) query = query.where("a.name", "in", [...names]);
  const rows = await query.execute();
  const newest =
    rows.length === 0
      ? []
      : await db
          .selectFrom("automations as a")
          .innerJoinLateral(
            (eb) =>
              eb
                .selectFrom("ticks")
                .select(tickColumns)
                .whereRef("ticks.automation", "=", "a.name")
                .orderBy("id", "desc")
                .limit(1)
                .as("t"),
            (join) => join.onTrue(),
          )
          .selectAll("t")
          .where(
            "a.name",
            "in",
            rows.map(({ name }) => name),
          )
          .execute();
  const tickOf = new Map(newest.map((tick) => [tick.automation, tick]));
  return rows.map((row) => ({ ...row, lastTick: tickOf.get(row.name) }));
}

export type SensorRow = Awaited<ReturnType<typeof listSensors>>[number];
export type SensorTickRow = NonNullable<SensorRow["lastTick"]>;

/** Newest first; the position is the id. */
export async function listSensorTicks(
  db: Kysely<Schema>,
  sensor: string,
  state: SensorTickRow["state"] | undefined,
  page: PageRequest<string>,
): Promise<Page<SensorTickRow, string>> {
  let query = db
    .selectFrom("ticks")
    .select(tickColumns)
    .where("automation", "=", sensor)
    .orderBy("id", "desc")
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where("id", "<", page.after);
  if (state !== undefined) query = query.where("state", "=", state);
  return pageOf(await query.execute(), page.limit, (row) => row.id);
}

export async function readSensorTick(
  db: Kysely<Schema>,
  sensor: string,
  id: string,
): Promise<SensorTickRow | undefined> {
  return db
    .selectFrom("ticks")
    .select(tickColumns)
    .where("automation", "=", sensor)
    .where("id", "=", id)
    .executeTakeFirst();
}

/** A request that no run could be planned for, as its tick keeps it. */
export interface RefusedRequestRow extends DefinitionErrorRow {
  readonly runKey?: string;
  readonly targets: readonly string[];
  readonly partitions: string;
}
