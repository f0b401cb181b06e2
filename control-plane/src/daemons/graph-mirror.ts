import type pg from "pg";
import type { Graph } from "../domain/asset-graph.ts";
import { buildGraph } from "../domain/graph.ts";
import { loadSegments } from "../storage/definitions.ts";
import type { Notifications } from "../storage/notifications.ts";

export interface GraphMirrorOptions {
  readonly pool: pg.Pool;
  /** Absent: changes are found by looking alone. */
  readonly notifications?: Pick<Notifications, "subscribe">;
  /** A notification is a hint; this often the database is looked at without one. Default 1,000. */
  readonly pollMs?: number;
  /** What went wrong while looking; the graph stays as it was. */
  readonly onError?: (error: unknown) => void;
}

export type GraphListener = (graph: Graph, previous: Graph) => void;

/** Changes come in bursts, and the log speaks of much else: between two looks lies at least this. */
const lookEveryMs = 20;

/** The asset graph of all locations, kept as new as the database says. */
export class GraphMirror {
  readonly #options: GraphMirrorOptions;
  readonly #listeners = new Set<GraphListener>();
  #graph: Graph = buildGraph([], new Map());
  /** Of the rows that the graph was built of; the sums of dynamic sets never come back. */
  #signature = "";
  #epoch = -1;
  #looking: Promise<void> | undefined;
  #queued: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;
  #closed = false;

  private constructor(options: GraphMirrorOptions) {
    this.#options = options;
  }

  /** Resolves once the first graph is there. */
  static async open(options: GraphMirrorOptions): Promise<GraphMirror> {
    const mirror = new GraphMirror(options);
    mirror.#unsubscribe = await options.notifications?.subscribe("headgate_events", (payload) => {
      // With a sequence number it is the drive that speaks, of steps: definitions are announced without one.
      if (payload === undefined || payload === "") mirror.#lookSoon();
    });
    await mirror.refresh();
    mirror.#poll = setInterval(() => mirror.#lookSoon(), options.pollMs ?? 1_000);
    return mirror;
  }

  current(): Graph {
    return this.#graph;
  }

  /** The gate epoch of the definitions that the graph was built of, or an older one. */
  epoch(): number {
    return this.#epoch;
  }

  /** Calls back after every change; the returned function ends it. */
  onChange(listener: GraphListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The graph of everything that was committed before this call. */
  async refresh(): Promise<Graph> {
    if (this.#looking === undefined) {
      this.#looking = this.#look().finally(() => (this.#looking = undefined));
      await this.#looking;
    } else {
      // The look under way may have begun too early: all who ask meanwhile share the next one.
      this.#queued ??= this.#looking
        .catch(() => undefined)
        .then(() => {
          this.#queued = undefined;
          return this.refresh();
        })
        .then(() => undefined);
      await this.#queued;
    }
    return this.#graph;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
    this.#unsubscribe?.();
    await this.#looking?.catch(() => undefined);
  }

  #lookSoon(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.refresh().catch((error: unknown) => this.#options.onError?.(error));
    }, lookEveryMs);
  }

  async #look(): Promise<void> {
    const { pool } = this.#options;
    // Read before the definitions: what changes in between is then found by the next look.
    const { rows } = await pool.query<{ signature: string; epoch: number }>(
      `select (select epoch from asset_gate where asset_key = '') as epoch, coalesce(md5(string_agg(concat_ws(',', name, team, definitions_hash, loaded_at, removed_at), ';' order by name)), '')
         || ',' || (select concat_ws(',', count(*), max(claimed_at)) from asset_owners) || ',' || (select epoch from asset_gate where asset_key = '')
         || ',' || (select concat_ws(',', sum(next_ordinal), sum(key_count)) from dynamic_sets) as signature from locations`,
    );
    const { signature = "", epoch = -1 } = rows[0] ?? {};
    if (signature === this.#signature) {
      this.#epoch = epoch;
      return;
    }
    const { segments, owners, options } = await loadSegments(pool);
    const previous = this.#graph;
    this.#graph = buildGraph(segments, owners, options);
    this.#signature = signature;
    this.#epoch = epoch;
    for (const listener of this.#listeners) listener(this.#graph, previous);
  }
}
