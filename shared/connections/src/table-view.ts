import { ConnectionError } from "./connection-error.ts";
import type { Postgres, PostgresQueries } from "./postgres-queries.ts";
import type { TableColumn } from "./table-columns.ts";
import { type TableName, quoteName, quoteTable } from "./table-names.ts";
import { lockName, quoteText, readColumns, readNote } from "./table-versions.ts";

/** Which tables each view shows: one a partition, '' where the asset is not partitioned. Beside the versions' tables. */
const registryName = "published_versions";

/**
 * Makes an asset's view show this table for its partition, and for the others what it showed before: in one transaction,
 * so that readers see the one or the other.
 *
 * @throws ConnectionError `table.not_found`, `.view_taken`, `.columns_differ`
 */
export async function publishTable(
  postgres: Postgres,
  { assetKey, partitionKey }: { readonly assetKey: string; readonly partitionKey: string },
  table: TableName,
  view: TableName,
  signal: AbortSignal,
): Promise<void> {
  await postgres.transaction(
    async (transaction) => {
      await lockName(transaction, quoteTable(view));
      await refuseForeign(transaction, assetKey, view);
      const registry = { schema: table.schema, name: registryName };
      await ensureRegistry(transaction, registry);
      const shown = await register(transaction, quoteTable(registry), quoteTable(view), partitionKey, table);
      const arms = [];
      for (const name of shown) arms.push(await armOf(transaction, { schema: table.schema, name }));
      const columns = joinedColumns(assetKey, arms);
      const query = arms.map((arm) => selectOf(arm, columns)).join("\nunion all\n");
      await replaceView(transaction, view, columns, query);
      const note = JSON.stringify({ headgate: { assetKey } });
      await transaction.query(`comment on view ${quoteTable(view)} is ${quoteText(note)}`);
    },
    { signal },
  );
}

/** A table whose rows the view shows. */
interface Arm {
  readonly table: TableName;
  readonly columns: readonly TableColumn[];
}

async function refuseForeign(queries: PostgresQueries, assetKey: string, view: TableName): Promise<void> {
  if ((await readColumns(queries, view)).length === 0) return;
  const owner = (await readNote(queries, view))?.assetKey;
  if (owner === assetKey) return;
  const whose = owner === undefined ? "was not made for an asset" : `is the view of ${owner}`;
  throw new ConnectionError("table.view_taken", `${quoteTable(view)} is there already and ${whose}`);
}

async function ensureRegistry(queries: PostgresQueries, registry: TableName): Promise<void> {
  if ((await readColumns(queries, registry)).length > 0) return;
  await lockName(queries, quoteTable(registry));
  await queries.query(
    `create table if not exists ${quoteTable(registry)} (view text not null, partition_key text collate "C" not null,
       table_name text not null, primary key (view, partition_key))`,
  );
}

/** Returns the tables that the view shows from now on, by partition. */
async function register(
  queries: PostgresQueries,
  registry: string,
  view: string,
  partition: string,
  table: TableName,
): Promise<string[]> {
  // An asset that got partitions, or lost them, shows nothing of before.
  await queries.query(`delete from ${registry} where view = $1 and (partition_key = '') <> ($2 = '')`, [
    view,
    partition,
  ]);
  await queries.query(
    `insert into ${registry} values ($1, $2, $3)
     on conflict (view, partition_key) do update set table_name = excluded.table_name`,
    [view, partition, table.name],
  );
  const { rows } = await queries.query<{ table_name: string }>(
    `select table_name from ${registry} where view = $1 order by partition_key`,
    [view],
  );
  return rows.map((row) => row.table_name);
}

async function armOf(queries: PostgresQueries, table: TableName): Promise<Arm> {
  const columns = await readColumns(queries, table);
  if (columns.length > 0) return { table, columns };
  throw new ConnectionError("table.not_found", `there is no table ${quoteTable(table)}`);
}

/** The columns of all, in the order in which they first appear; whole numbers and numbers together are numbers. */
function joinedColumns(assetKey: string, arms: readonly Arm[]): TableColumn[] {
  const types = new Map<string, TableColumn["type"]>();
  for (const { name, type } of arms.flatMap(({ columns }) => columns)) {
    const known = types.get(name);
    if (known === undefined || known === type) types.set(name, type);
    else if ([known, type].every((each) => each === "bigint" || each === "double precision")) {
      types.set(name, "double precision");
    } else {
      const message = `column ${JSON.stringify(name)} of ${assetKey} is ${known} in one partition and ${type} in another`;
      throw new ConnectionError("table.columns_differ", message);
    }
  }
  return [...types].map(([name, type]) => ({ name, type }));
}

/** A column that the table has not is null. */
function selectOf({ table, columns }: Arm, all: readonly TableColumn[]): string {
  const own = new Map(columns.map(({ name, type }) => [name, type]));
  const list = all.map(({ name, type }) => {
    if (own.get(name) === type) return quoteName(name);
    return `${own.has(name) ? quoteName(name) : "null"}::${type} as ${quoteName(name)}`;
  });
  return `select ${list.join(", ")} from ${quoteTable(table)}`;
}

/** In place as long as columns are only added: who reads it goes on. Else anew, with the rights that it had. */
async function replaceView(
  queries: PostgresQueries,
  view: TableName,
  columns: readonly TableColumn[],
  query: string,
): Promise<void> {
  const before = await readColumns(queries, view);
  const isExtended = before.every(
    ({ name, type }, index) => columns[index]?.name === name && columns[index].type === type,
  );
  if (isExtended) {
    await queries.query(`create or replace view ${quoteTable(view)} as ${query}`);
    return;
  }
  const { rows: grants } = await queries.query<{ grantee: string | null }>(
    `select case when g.grantee <> 0 then pg_get_userbyid(g.grantee)::text end as grantee
     from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) g
     where n.nspname = $1 and c.relname = $2 and g.privilege_type = 'SELECT' and g.grantee <> c.relowner`,
    [view.schema, view.name],
  );
  await queries.query(`drop view ${quoteTable(view)}`);
  await queries.query(`create view ${quoteTable(view)} as ${query}`);
  for (const { grantee } of grants) {
    await queries.query(`grant select on ${quoteTable(view)} to ${grantee === null ? "public" : quoteName(grantee)}`);
  }
}
