import type { ByPartition } from "../batch.ts";

/** What is there for each partition that a call computes. */
export class ValuesByPartition<T> extends Map<string, T> implements ByPartition<T> {
  override get(key: string): T {
    if (!this.has(key)) throw new Error(`This call computes no partition ${JSON.stringify(key)}: see \`partitions\`.`);
    return super.get(key) as T;
  }
}
