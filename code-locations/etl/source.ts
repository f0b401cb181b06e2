import { columns, type Sample } from "./contract.ts";

/** A row as the source has it: any of its cells may be empty. */
export type SourceRow = { readonly [Column in keyof Sample]: number | null };

const samplesCount = 100;
const emptyRowsCount = 5;
const repeatedRowsCount = 3;
/** Of the cells of the other source. Between 25 and 40 of its 500 are empty. */
const emptyCellsShare = 0.065;

/** The source of this sample team: 100 samples, 5 rows with nothing in them and 3 rows that are there twice. */
export function sourceRows(): SourceRow[] {
  const samples = samplesOf(randomNumbers(1));
  const empty = Array.from({ length: emptyRowsCount }, () => rowOf(() => null));
  return [...samples, ...empty, ...samples.slice(0, repeatedRowsCount)];
}

/** Another source, whose rows have gaps here and there. */
export function otherSourceRows(): SourceRow[] {
  const random = randomNumbers(2);
  return samplesOf(random).map((row) => rowOf((column) => (random() < emptyCellsShare ? null : row[column])));
}

function samplesOf(random: () => number): Sample[] {
  return Array.from({ length: samplesCount }, () => {
    const [x_1, x_2, x_3, x_4] = [random(), random(), random(), random()];
    return { x_1, x_2, x_3, x_4, y: 10 * x_1 + 100 * x_2 + 1000 * x_3 + 0.5 * x_4 + 2.2 };
  });
}

function rowOf(cell: (column: keyof Sample) => number | null): SourceRow {
  return Object.fromEntries(columns.map((column) => [column, cell(column)])) as SourceRow;
}

/** Numbers from 0 up to 1, evenly distributed and the same every time, so that a recomputation makes nothing stale. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    // A Weyl sequence, mixed: enough for a sample, not for secrets.
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
