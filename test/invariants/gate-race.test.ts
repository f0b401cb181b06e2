import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { QueryConfig } from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { appendEvents } from "../../control-plane/src/storage/append-events.ts";
import { bumpGate } from "../../control-plane/src/storage/bump-gate.ts";
import { DatabaseUnavailableError } from "../../control-plane/src/storage/database-unavailable.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import type { Daemon } from "../../control-plane/src/daemons/daemon.ts";
import { Engine, type EngineOptions, listenerOf } from "../support/engine.ts";
import { FakeLocation, checkReport, computed, succeeded, threw } from "../support/fake-location.ts";
import { type DependencyText, assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

/*
 * "A downstream asset cannot execute unless, for exactly the versions it reads, every upstream blocking check has passed
 * or was waived by the check's owner", while everything moves at once: two daemons, checks that flip, throw and get
 * lost, manual launches, onMissing, waivers that come and go, definitions that change, connections and locations that
 * break. What is left is judged by the history checker, which shares no code with the gate.
 */

let engine: Engine;
afterEach(() => engine.close());

/** `HEADGATE_RACE_SEEDS=7,8,9` plays others. */
const seeds = (process.env["HEADGATE_RACE_SEEDS"] ?? "1,2,3,4").split(",").map(Number);

/** Numbers from a seed (mulberry32), so that what was found is found again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const days = { kind: "static", keys: ["d1", "d2"] } as const;
const retry = { maxRetries: 1, delayMs: 5, backoff: "constant", jitter: 0, maxCrashes: 3 } as const;
const assetKeys = ["a/n0", "a/n1", "b/n2", "a/n3", "b/n4", "b/n5"];

class Race {
  readonly random: () => number;
  readonly runs: string[] = [];
  readonly locations: FakeLocation[];
  #checkVersion = 1;

  constructor(seed: number) {
    this.random = seeded(seed);
    this.locations = ["a", "b"].map(
      (name) => new FakeLocation(name, { credits: 3, compute: (attempt) => this.#compute(attempt) }),
    );
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)] as T;
  }

  readonly #compute: ConstructorParameters<typeof FakeLocation>[1] extends { compute?: infer C } | undefined
    ? NonNullable<C>
    : never = async (attempt) => {
    const { command } = attempt;
    if (this.random() < 0.5) await delay(this.random() * 8);
    const dice = this.random();
    if (dice < 0.05) return threw("now and then");
    if (dice < 0.1) return { outcome: "crashed", checks: [], permanent: false };
    if (dice < 0.2 && command.work.kind === "materialize") {
      // The value ahead of its checks, which may get lost.
      attempt.say({ kind: "computed", computed: computed(command) });
      await delay(this.random() * 5);
      if (this.random() < 0.4) return { outcome: "crashed", checks: [], permanent: false };
      return { ...succeeded(command), computed: undefined as never, checks: this.#checks(command.work.checks) };
    }
    return { ...succeeded(command), checks: this.#checks(command.work.checks) };
  };

  #checks(names: readonly string[]) {
    return names.map((name) =>
      checkReport(name, this.random() < 0.25 ? "failed" : this.random() < 0.1 ? "warned" : "passed", {
        checkVersion: this.#checkVersion,
      }),
    );
  }

  segment(team: string, edges: ReadonlyMap<string, readonly DependencyText[]>) {
    const assets = assetKeys
      .filter((key) => key.startsWith(team))
      .map((key) =>
        assetOf(key, edges.get(key) ?? [], {
          partitions: days,
          retry,
          gateTimeoutMs: 500,
          ...(key === "a/n1" || key === "b/n4" ? { automation: { kind: "onMissing" as const } } : {}),
        }),
      );
    const checks =
      team === "a"
        ? [checkOf("a/n0", "x", { version: this.#checkVersion }), checkOf("a/n1", "x", { version: this.#checkVersion })]
        : [
            checkOf("b/n2", "y", { version: this.#checkVersion }),
            checkOf("a/n0", "fit", { version: this.#checkVersion }),
          ];
    return locationOf(team, assets, checks);
  }

  graph(): Map<string, readonly DependencyText[]> {
    const edges = new Map<string, readonly DependencyText[]>();
    for (const [n, key] of assetKeys.entries()) {
      const reads = assetKeys.slice(0, n).filter(() => this.random() < 0.5);
      edges.set(
        key,
        reads.map((asset) => ({
          asset,
          mode: this.pick(["strict", "strict", "lastValidated", "orderOnly"] as const),
          ...(this.random() < 0.3 ? { mapping: { kind: "all" as const }, atLeast: this.pick([0, 1]) } : {}),
        })),
      );
    }
    return edges;
  }

  async launch(): Promise<void> {
    const key = this.pick(assetKeys);
    const selection = this.pick([key, `${key}+`, `+${key}`, "a/* or b/*"]);
    this.runs.push(await engine.launch(selection, this.random() < 0.5 ? {} : { partitions: this.pick(["d1", "d2"]) }));
  }

  /** Waives a check of a version, or revokes a waiver, as the API does. */
  async decide(): Promise<void> {
    const revoke = this.random() < 0.4;
    const word = this.random();
    await withTransaction(engine.pool, async (tx) => {
      const text = revoke
        ? "select id as waiver, version_id as id, asset_key, partition_key, team, name from waivers where ended_at is null"
        : `select v.id, v.asset_key, v.partition_key, c.team, c.name from versions v join check_results c on c.version_id = v.id
           where c.outcome = 'failed'`;
      const { rows } = await tx.query<Record<string, string>>(`${text} order by 1`);
      const row = rows[Math.floor(word * rows.length)];
      if (row === undefined) return;
      const { asset_key: asset = "", partition_key: partition = "", team, name, id: version } = row;
      await bumpGate(tx, asset);
      const waiver = row["waiver"] ?? randomUUID();
      if (revoke) {
        const { rowCount } = await tx.query(
          "update waivers set ended_at = clock_timestamp(), ended_by = 'ada' where id = $1 and ended_at is null",
          [waiver],
        );
        if (rowCount === 0) return;
      } else {
        const { rowCount } = await tx.query(
          `insert into waivers (id, version_id, asset_key, partition_key, team, name, reason, actor, until)
           values ($1, $2, $3, $4, $5, $6, 'known', 'ada', clock_timestamp() + interval '1 day') on conflict do nothing`,
          [waiver, version, asset, partition, team, name],
        );
        if (rowCount === 0) return;
      }
      await tx.query("insert into audit (actor, action, subject, details) values ('ada', $1, $2, $3)", [
        revoke ? "waiver.revoke" : "waiver.create",
        asset,
        JSON.stringify({ waiver, version }),
      ]);
      const kind = revoke ? "waiver_revoked" : "waiver_created";
      await appendEvents(tx, [{ kind, assetKey: asset, partitionKey: partition, payload: { waiver, version } }]);
    });
    await engine.pool.query("select pg_notify('headgate_events', '')");
  }

  /** A check was changed: older versions have no result of it. */
  async redefine(edges: ReadonlyMap<string, readonly DependencyText[]>): Promise<void> {
    this.#checkVersion++;
    await engine.define(this.segment(this.pick(["a", "b"]), edges));
  }

  disturb(daemons: readonly Daemon[]): void {
    const location = this.pick(this.locations);
    if (this.random() < 0.5) {
      location.disconnect();
      for (const each of daemons) location.connect(listenerOf(each));
      return;
    }
    const gone = location.exit();
    for (const each of daemons) each.drive.contact.instanceExited(location.name, gone);
    for (const each of daemons) location.connect(listenerOf(each));
  }
}

/** Some flushes do not arrive, and of some the answer does not. */
function unreliable(random: () => number): NonNullable<EngineOptions["flushPool"]> {
  const unavailable = () => new DatabaseUnavailableError("gone", { cause: undefined });
  return (pool) =>
    ({
      query: async (config: QueryConfig) => {
        const dice = random();
        if (dice < 0.01) throw unavailable();
        const result = await pool.query(config);
        if (dice < 0.02) throw unavailable();
        return result;
      },
    }) as unknown as typeof pool;
}

describe("while everything moves at once", () => {
  for (const seed of seeds) {
    test(`no attempt reads what is not open, none is settled twice, and every run ends (seed ${String(seed)})`, async () => {
      const race = new Race(seed);
      const edges = race.graph();
      engine = await Engine.open([race.segment("a", edges), race.segment("b", edges)]);
      const options = { flushPool: unreliable(seeded(seed + 1_000)) };
      const daemons = [await engine.startDaemon([], options), await engine.startDaemon([], options)];
      for (const daemon of daemons) {
        for (const location of race.locations) location.connect(listenerOf(daemon));
      }
      for (let turn = 0; turn < 60; turn++) {
        const dice = race.random();
        if (dice < 0.45) await race.launch();
        else if (dice < 0.65) await race.decide();
        else if (dice < 0.72) await race.redefine(edges);
        else if (dice < 0.8) race.disturb(daemons);
        else await delay(race.random() * 20);
      }
      for (const run of race.runs) await engine.ended(run, 40_000);
      await engine.until("select where not exists (select from runs where ended_at is null)", [], 40_000);
      expect(await engine.violations()).toEqual([]);
      expect(await engine.count("from attempts")).toBeGreaterThan(20);
    }, 90_000);
  }
});
