import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { StepError } from "../domain/attempt-report.ts";
import type { AssetNode, Graph } from "../domain/graph.ts";
import { publicationStep, publishes } from "../domain/publication.ts";
import type { Publication } from "../grpc/location-client.ts";
import {
  type PublicationPlace,
  newestPosition,
  partitionsWithVersions,
  placesSpokenOf,
  readPublicationStates,
} from "../storage/publications.ts";
import { PublicationLane } from "./publication-lane.ts";

/** The code locations, to a publisher. */
export interface PublishingLocations {
  isConnected(location: string): boolean;
  /** Answers why the version could not be shown. Throws LocationError. */
  publish(location: string, publication: Publication, signal: AbortSignal): Promise<StepError | undefined>;
}

export interface PublisherOptions {
  readonly pool: pg.Pool;
  readonly graph: () => Graph;
  readonly daemonId: () => string;
  readonly now: () => number;
  readonly locations: PublishingLocations;
  /** Something was appended to the log. */
  readonly recorded: () => void;
  readonly failed: (error: unknown) => void;
}

const pageSize = 200;
const retryMs = 500;
/** A timer of Node's holds at most 2^31 - 1 ms; later than this is looked at early, which is harmless. */
const delayMsMax = 3_600_000;

/**
 * Keeps what readers outside see at the newest open version of each partition, for assets whose IO manager publishes.
 * What the log speaks of is looked at; a change of definitions looks at everything that publishes. Each daemon does so,
 * and a row a partition says who calls.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #lanes = new Map<string, PublicationLane>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #publishing: { readonly graph: Graph; readonly nodes: ReadonlyMap<AssetKey, AssetNode> } | undefined;
  #position = 0;
  #lookAtAll = true;
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Nothing can be done at the moment; what failed and waits for its time does not count. */
  get isIdle(): boolean {
    return this.#looking === undefined && [...this.#lanes.values()].every((lane) => lane.isIdle);
  }

  /** Something was recorded of these assets. */
  touch(assets: Iterable<AssetKey>): void {
    const nodes = this.#nodes();
    if (nodes.size === 0) return;
    for (const asset of assets) if (nodes.has(asset)) return this.#wake();
  }

  definitionsChanged(): void {
    this.#lookAtAll = true;
    this.#wake();
  }

  /** Its session has opened. */
  locationOpened(location: string): void {
    this.#lanes.get(location)?.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await this.#looking;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
  }

  /** The assets that publish; found once for each graph, since every commit asks. */
  #nodes(): ReadonlyMap<AssetKey, AssetNode> {
    const graph = this.#options.graph();
    if (this.#publishing?.graph !== graph) {
      const nodes = new Map(graph.order.filter(publishes).map((node) => [node.key, node]));
      this.#publishing = { graph, nodes };
    }
    return this.#publishing.nodes;
  }

  #wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#looking ??= this.#loop().finally(() => (this.#looking = undefined));
  }

  async #loop(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      // Whatever else this turn of the event loop records is part of the same look.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        if (this.#lookAtAll) await this.#lookAtEverything();
        else await this.#lookAtNews();
      } catch (error) {
        this.#options.failed(error);
        this.#lookAtAll = true;
        this.#again = true;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  async #lookAtEverything(): Promise<void> {
    const { pool } = this.#options;
    this.#lookAtAll = false;
    const nodes = this.#nodes();
    if (nodes.size === 0) return;
    this.#position = await newestPosition(pool);
    for (const node of nodes.values()) {
      let after: string | undefined;
      do {
        const partitions = await partitionsWithVersions(pool, node.key, after, pageSize);
        await this.#look(node, partitions);
        after = partitions.length === pageSize ? partitions.at(-1) : undefined;
      } while (after !== undefined && !this.#stopped);
    }
  }

  async #lookAtNews(): Promise<void> {
    const nodes = this.#nodes();
    const { newest, places } = await placesSpokenOf(this.#options.pool, [...nodes.keys()], this.#position);
    for (const [asset, partitions] of grouped(places)) {
      const node = nodes.get(asset);
      if (node === undefined) continue;
      for (let at = 0; at < partitions.length; at += pageSize) {
        await this.#look(node, partitions.slice(at, at + pageSize));
      }
    }
    this.#position = newest;
  }

  /** Hands what is to be published to the lane of its location. */
  async #look(node: AssetNode, partitions: readonly string[]): Promise<void> {
    const { pool, now } = this.#options;
    if (partitions.length === 0) return;
    for (const { partition, versions, known } of await readPublicationStates(pool, node.key, partitions)) {
      const step = publicationStep(node, versions, known, now());
      const place = { asset: node.key, partition };
      switch (step.kind) {
        case "settled":
          break;
        case "publish":
          this.#lane(node.location).add(place);
          break;
        case "wait":
          this.#later(node.location, place, step.untilMs - now());
          break;
      }
    }
  }

  #lane(location: string): PublicationLane {
    let lane = this.#lanes.get(location);
    if (lane === undefined) {
      const { locations, ...options } = this.#options;
      lane = new PublicationLane({
        ...options,
        location,
        isConnected: () => locations.isConnected(location),
        call: (publication, signal) => locations.publish(location, publication, signal),
        again: (place, afterMs) => this.#later(location, place, afterMs),
      });
      this.#lanes.set(location, lane);
    }
    return lane;
  }

  #later(location: string, place: PublicationPlace, afterMs: number): void {
    if (this.#stopped) return;
    const key = `${place.asset}\n${place.partition}`;
    clearTimeout(this.#timers.get(key));
    const timer = setTimeout(
      () => {
        this.#timers.delete(key);
        this.#lane(location).add(place);
      },
      Math.min(Math.max(0, afterMs), delayMsMax),
    );
    this.#timers.set(key, timer);
  }
}

function grouped(places: readonly PublicationPlace[]): Map<AssetKey, string[]> {
  const groups = new Map<AssetKey, string[]>();
  for (const { asset, partition } of places) {
    const group = groups.get(asset);
    if (group === undefined) groups.set(asset, [partition]);
    else group.push(partition);
  }
  return groups;
}
