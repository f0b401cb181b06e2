interface Pending<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

const batchMax = 200;

/**
 * Writes what arrives while a write is under way in the next one, without waiting for more: group commit. A batch that
 * fails is tried again one by one, so that one bad row fails alone.
 */
export class SettleQueue<Item, Answer> {
  readonly #write: (items: readonly Item[]) => Promise<readonly Answer[]>;
  readonly #pending: Pending<Item, Answer>[] = [];
  #isWriting = false;

  /** @param write answers each item, in order */
  constructor(write: (items: readonly Item[]) => Promise<readonly Answer[]>) {
    this.#write = write;
  }

  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ item, resolve, reject });
      if (!this.#isWriting) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    this.#isWriting = true;
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, batchMax);
      const isAlone = batch.length === 1;
      try {
        const answers = await this.#write(batch.map(({ item }) => item));
        for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as Answer);
      } catch (error) {
        if (isAlone) batch[0]?.reject(error);
        else await this.#oneByOne(batch);
      }
    }
    this.#isWriting = false;
  }

  async #oneByOne(batch: readonly Pending<Item, Answer>[]): Promise<void> {
    for (const { item, resolve, reject } of batch) {
      await this.#write([item]).then(([answer]) => resolve(answer as Answer), reject);
    }
  }
}
