// The only file of team "etl" that another team may import: what it promises, without how it is made.
import { assetSpec, valueOf } from "@headgate/sdk";

/** The columns of a sample, in their order. */
export const columns = ["x_1", "x_2", "x_3", "x_4", "y"] as const;

/** Four features between 0 and 1, and what was measured for them. */
export type Sample = Readonly<Record<(typeof columns)[number], number>>;

export const cleanData = assetSpec({
  key: "etl/clean_data",
  description: "One hundred samples without gaps and without repeats.",
  // Its three blocking checks prove of every version what this type says, before anybody reads it.
  value: valueOf<readonly Sample[]>(),
  group: "samples",
  kinds: ["json"],
  export: true,
});
