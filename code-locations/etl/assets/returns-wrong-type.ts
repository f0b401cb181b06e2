import { asset } from "@headgate/sdk";
import { z } from "zod";

export const returnsWrongType = asset({
  key: "etl/returns_wrong_type",
  description: "Fails: the answer that it passes on is not what it declares, and types cannot see into JSON.",
  value: z.object({ rows: z.int(), columns: z.array(z.string()) }),
  group: "other",
  kinds: ["json"],
  compute: () => JSON.parse('{ "rows": "one hundred", "columns": ["x_1"] }') as { rows: number; columns: string[] },
});
