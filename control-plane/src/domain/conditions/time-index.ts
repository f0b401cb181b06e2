import { type RangeSet, rangeSet } from "@headgate/model";

/**
 * Partitions by a number that mostly grows, such as a time or a sequence number: answers which ones have at least some
 * value, at the cost of those that it names.
 */
export class TimeIndex {
  readonly #values = new Map<number, number>();
  /** Ascending by value. One whose partition has another value by now is passed over. */
  #entries: (readonly [value: number, ordinal: number])[] = [];

  get(ordinal: number): number | undefined {
    return this.#values.get(ordinal);
  }

  set(ordinal: number, value: number | undefined): void {
    if (this.#values.get(ordinal) === value) return;
    if (value === undefined) {
      this.#values.delete(ordinal);
      return;
    }
    this.#values.set(ordinal, value);
    this.#entries.splice(this.#firstFrom(value + 1), 0, [value, ordinal]);
    // Superseded entries cost memory alone; they go when they are the larger part.
    if (this.#entries.length > 2 * this.#values.size + 64) {
      this.#entries = this.#entries.filter(([known, of]) => this.#values.get(of) === known);
    }
  }

  /** The partitions whose value is at least `value`. */
  from(value: number): RangeSet {
    const ordinals: number[] = [];
    for (let n = this.#firstFrom(value); n < this.#entries.length; n++) {
      const [known, ordinal] = this.#entries[n] ?? [0, 0];
      if (this.#values.get(ordinal) === known) ordinals.push(ordinal);
    }
    return rangeSet.from(ordinals);
  }

  /** Replaces everything. */
  fill(values: Iterable<readonly [ordinal: number, value: number]>): void {
    this.#values.clear();
    this.#entries = [];
    for (const [ordinal, value] of values) {
      this.#values.set(ordinal, value);
      this.#entries.push([value, ordinal]);
    }
    this.#entries.sort((a, b) => a[0] - b[0]);
  }

  #firstFrom(value: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.[0] ?? Infinity) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
