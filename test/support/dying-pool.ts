import type pg from "pg";

/**
 * A pool whose process dies in the middle of a transaction: at the statement that contains `text`, before or after the
 * server has carried it out, every connection is cut and nothing is answered any more. The server sees what it sees when
 * a process is killed.
 */
export function dyingPool(pool: pg.Pool, text: string, when: "before" | "after"): pg.Pool {
  const die = (client: pg.PoolClient): never => {
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    throw new Error(`killed ${when} ${text}`);
  };
  const connect = async (): Promise<pg.PoolClient> => {
    const client = await pool.connect();
    return new Proxy(client, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        if (name !== "query") return value.bind(target) as unknown;
        return async (statement: string, values?: unknown[]) => {
          const isIt = statement.includes(text);
          if (isIt && when === "before") die(target);
          const result: unknown = await target.query(statement, values);
          return isIt ? die(target) : result;
        };
      },
    });
  };
  return new Proxy(pool, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name === "connect") return connect;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
