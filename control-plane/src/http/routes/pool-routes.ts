import { type PoolRow, listHolders, listPools, setPool } from "../../storage/pools.ts";
import type { ApiContext } from "../api-context.ts";
import { requireOperator } from "../gate-change.ts";
import { mutate } from "../mutation.ts";
import { presentTime, presentTimeOrNull } from "../present-run.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";

const holdersMax = 100;

export const poolRoutes: Pick<Handlers, "listPools" | "getPool" | "setPool"> = {
  async listPools(context) {
    return { items: await readPools(context) };
  },

  async getPool(context, { params }) {
    const pools = await readPools(context);
    const pool = pools.find(({ name }) => name === params.name);
    if (pool === undefined) {
      const known = pools.map(({ name }) => name).slice(0, 10);
      const hint = known.length === 0 ? "An asset names one with `pool`." : `There are ${known.join(", ")}.`;
      throw new Problem("pool.unknown", `No asset names a pool ${params.name}, and it has no limit.`, hint);
    }
    const holders = await listHolders(context.pool, params.name, holdersMax);
    return {
      ...pool,
      holders: holders.map(({ leasedAt, ...holder }) => ({ ...holder, since: presentTime(leasedAt) })),
    };
  },

  async setPool(context, request) {
    const { params, body, actor } = request;
    requireOperator(actor, "a pool is for all");
    return mutate(context, request, 200, async (tx) => {
      const { before } = await setPool(tx, params.name, body.slots, actor.name);
      const rows = await listPools(tx);
      const row = rows.find(({ name }) => name === params.name) ?? emptyPool(params.name);
      const details = { from: before, to: body.slots };
      return {
        answer: presentPool(row, poolsOf(context).get(params.name) ?? []),
        audit: { action: "pool.set", subject: params.name, details },
        events: [{ kind: "pool_set", payload: { pool: params.name, actor: actor.name, ...details } }],
      };
    });
  },
};

async function readPools(context: ApiContext) {
  const named = poolsOf(context);
  const rows = new Map((await listPools(context.pool)).map((row) => [row.name, row]));
  const names = [...new Set([...rows.keys(), ...named.keys()])].sort();
  return names.map((name) => presentPool(rows.get(name) ?? emptyPool(name), named.get(name) ?? []));
}

/** The assets that name each pool. */
function poolsOf(context: ApiContext): Map<string, string[]> {
  const pools = new Map<string, string[]>();
  for (const { key, definition, retired } of context.graph().order) {
    if (definition.pool === undefined || retired) continue;
    pools.set(definition.pool, [...(pools.get(definition.pool) ?? []), key]);
  }
  return pools;
}

function emptyPool(name: string): PoolRow {
  return { name, slots: null, setAt: null, setBy: null, held: 0 };
}

function presentPool({ name, slots, held, setBy, setAt }: PoolRow, assets: readonly string[]) {
  return { name, slots, held, assets: [...assets].sort(), setBy, setAt: presentTimeOrNull(setAt) };
}
