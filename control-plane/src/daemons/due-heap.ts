/** Names by when they are due, the earliest first. A name is there once: setting it anew moves it. */
export class DueHeap {
  /** A binary heap; entries that were set anew or taken away stay until they come up. */
  readonly #entries: { readonly name: string; readonly dueMs: number }[] = [];
  readonly #due = new Map<string, number>();

  /** Infinite: it is not due. */
  set(name: string, dueMs: number): void {
    if (this.#due.get(name) === dueMs) return;
    if (dueMs === Infinity) {
      this.#due.delete(name);
      return;
    }
    this.#due.set(name, dueMs);
    this.#entries.push({ name, dueMs });
    this.#up(this.#entries.length - 1);
  }

  clear(): void {
    this.#entries.length = 0;
    this.#due.clear();
  }

  /** When the first is due; infinite where nothing is. */
  next(): number {
    for (let first = this.#entries[0]; first !== undefined; first = this.#entries[0]) {
      if (this.#due.get(first.name) === first.dueMs) return first.dueMs;
      this.#drop();
    }
    return Infinity;
  }

  /** Takes the names that are due by then, the earliest first. */
  take(nowMs: number, max: number): string[] {
    const names: string[] = [];
    while (names.length < max && this.next() <= nowMs) {
      const name = this.#entries[0]?.name ?? "";
      this.#drop();
      this.#due.delete(name);
      names.push(name);
    }
    return names;
  }

  #drop(): void {
    const last = this.#entries.pop();
    if (last === undefined || this.#entries.length === 0) return;
    this.#entries[0] = last;
    this.#down(0);
  }

  #up(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapped(parent, at)) return;
      at = parent;
    }
  }

  #down(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const child =
        (this.#entries[left + 1]?.dueMs ?? Infinity) < (this.#entries[left]?.dueMs ?? Infinity) ? left + 1 : left;
      if (child >= this.#entries.length || !this.#swapped(at, child)) return;
      at = child;
    }
  }

  /** Puts the earlier of the two above. */
  #swapped(above: number, below: number): boolean {
    const [parent, child] = [this.#entries[above], this.#entries[below]];
    if (parent === undefined || child === undefined || parent.dueMs <= child.dueMs) return false;
    this.#entries[above] = child;
    this.#entries[below] = parent;
    return true;
  }
}
