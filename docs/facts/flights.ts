// Recomputes from the data what README.md says about it, and compares. Run it with `npx tsx docs/facts/flights.ts`:
// it prints the sentences as they have to be, and exits with 1 when the README has others. CI runs it as a test.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openDatabase, sql } from "@headgate/connections";

const data = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "..", "data");
const readme = fileURLToPath(new URL("../../README.md", import.meta.url));

export interface FlightFacts {
  readonly rows: number;
  /** In order; the last is July. */
  readonly months: readonly { readonly month: string; readonly rows: number; readonly averageDelay: number }[];
  /** Departures more than two hours early. */
  readonly early: readonly {
    readonly month: string;
    readonly delay: number;
    readonly origin: string;
    readonly destination: string;
  }[];
  /** Groups of flights that are the same in every column. */
  readonly duplicateGroups: number;
  readonly origins: number;
  /** Origins and destinations that airports.csv lacks. */
  readonly unknownAirports: number;
  readonly nulls: number;
  /** February's flights from Miami to St. Louis, with the typo and without. */
  readonly miamiToStLouis: { readonly rows: number; readonly average: number; readonly averageWithoutTypo: number };
}

export async function flightFacts(): Promise<FlightFacts> {
  const database = await openDatabase();
  try {
    const flights = sql`read_parquet(${join(data, "flights-3m.parquet")})`;
    const airports = sql`read_csv(${join(data, "airports.csv")}, header = true)`;
    const one = async <Row>(query: ReturnType<typeof sql>) => (await database.rows<Row>(query, { rowsMax: 1 }))[0]!;
    const months = await database.rows<FlightFacts["months"][number]>(sql`
      select strftime(date, '%Y-%m') as month, count(*) as rows, avg(delay) as "averageDelay"
      from ${flights} group by month order by month
    `);
    const early = await database.rows<FlightFacts["early"][number]>(sql`
      select strftime(date, '%Y-%m') as month, delay, origin, destination
      from ${flights} where delay < -120 order by delay desc
    `);
    const totals = await one<Pick<FlightFacts, "rows" | "origins" | "nulls">>(sql`
      select count(*) as rows, count(distinct origin) as origins,
        count(*) filter (where date is null or delay is null or distance is null or origin is null or destination is null)
          as nulls
      from ${flights}
    `);
    const { groups } = await one<{ groups: number }>(sql`
      select count(*) as groups from (select 1 from ${flights} group by date, delay, distance, origin, destination having count(*) > 1)
    `);
    const { unknown } = await one<{ unknown: number }>(sql`
      select count(*) as unknown
      from (select origin as code from ${flights} union select destination from ${flights})
      where code not in (select iata from ${airports})
    `);
    const miamiToStLouis = await one<FlightFacts["miamiToStLouis"]>(sql`
      select count(*) as rows, avg(delay) as average, avg(delay) filter (where delay >= -120) as "averageWithoutTypo"
      from ${flights}
      where origin = 'MIA' and destination = 'STL' and strftime(date, '%Y-%m') = '2001-02'
    `);
    return { ...totals, months, early, duplicateGroups: groups, unknownAirports: unknown, miamiToStLouis };
  } finally {
    database.close();
  }
}

/** The two sentences, as README.md has them word for word. */
export function readmeSentences(facts: FlightFacts): readonly [string, string] {
  const july = facts.months.at(-1)!;
  const others = facts.months.slice(0, -1).map((month) => month.averageDelay);
  const rank =
    july.averageDelay > Math.max(...others) ? "the worst month in the file" : "not the worst month in the file";
  const { rows, average, averageWithoutTypo } = facts.miamiToStLouis;
  return [
    `July's average delay would have been ${july.averageDelay.toFixed(1)} minutes, ${rank}, from ${inWords(july.rows)} flights.`,
    `One typo among ${rows} rows moves February's average from Miami to St. Louis from ` +
      `${averageWithoutTypo.toFixed(1)} to ${average.toFixed(1)} minutes.`,
  ];
}

function inWords(count: number): string {
  return (
    ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][count] ?? count.toLocaleString("en")
  );
}

/** The sentences that a text lacks. Line breaks and emphasis do not count. */
export function missingSentences(text: string, sentences: readonly string[]): readonly string[] {
  const plain = text.replaceAll(/[*_`]/g, "").replaceAll(/\s+/g, " ");
  return sentences.filter((sentence) => !plain.includes(sentence));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const sentences = readmeSentences(await flightFacts());
  for (const sentence of sentences) console.log(sentence);
  const missing = missingSentences(await readFile(readme, "utf8"), sentences);
  for (const sentence of missing) console.error(`README.md does not say: ${sentence}`);
  process.exitCode = missing.length > 0 ? 1 : 0;
}
