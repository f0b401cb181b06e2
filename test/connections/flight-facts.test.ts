import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { flightFacts, missingSentences, readmeSentences, type FlightFacts } from "../../docs/facts/flights.ts";

let facts: FlightFacts;
beforeAll(async () => {
  facts = await flightFacts();
});

describe("The data of the example teams", () => {
  it("has the rows of each month that the documentation states", () => {
    expect(facts.rows).toBe(3_000_000);
    expect(facts.months.map(({ month, rows }) => [month, rows])).toEqual([
      ["2001-01", 508_239],
      ["2001-02", 458_170],
      ["2001-03", 511_502],
      ["2001-04", 501_030],
      ["2001-05", 518_831],
      ["2001-06", 502_222],
      ["2001-07", 6],
    ]);
  });

  it("has three departures more than two hours early, all in February", () => {
    expect(facts.early).toEqual([
      { month: "2001-02", delay: -212, origin: "LAS", destination: "PHX" },
      { month: "2001-02", delay: -953, origin: "EWR", destination: "MCO" },
      { month: "2001-02", delay: -1116, origin: "MIA", destination: "STL" },
    ]);
  });

  it("has 191 groups of identical flights, 229 origins, all airports known, and no nulls", () => {
    expect(facts).toMatchObject({ duplicateGroups: 191, origins: 229, unknownAirports: 0, nulls: 0 });
  });

  it("gives the two sentences of the README", () => {
    expect(readmeSentences(facts)).toEqual([
      "July's average delay would have been 44.5 minutes, the worst month in the file, from six flights.",
      "One typo among 116 rows moves February's average from Miami to St. Louis from 23.5 to 13.7 minutes.",
    ]);
  });
});

describe("README.md", () => {
  const path = fileURLToPath(new URL("../../README.md", import.meta.url));

  it("says what the data says, word for word", async () => {
    expect(existsSync(path)).toBe(true);
    expect(missingSentences(await readFile(path, "utf8"), readmeSentences(facts))).toEqual([]);
  });

  it("would be caught with another figure, whatever its line breaks and emphasis", () => {
    const [july, typo] = readmeSentences(facts);
    const text = `**${july.replace("44.5 minutes", "44.5\nminutes")}** ${typo.replace("13.7", "13.8")}`;
    expect(missingSentences(text, [july, typo])).toEqual([typo]);
  });
});
