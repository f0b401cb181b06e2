import { describe, expect, it } from "vitest";
import { partitionStatuses } from "../../control-plane/src/domain/status.ts";
import { glyphPaths } from "../../web/src/status/glyph-paths.ts";
import {
  type StatusLook,
  attemptLooks,
  inWords,
  locationLooks,
  outcomeLooks,
  partitionLooks,
  runLooks,
  stepLooks,
} from "../../web/src/status/status-dictionary.ts";

const dictionaries: Readonly<Record<string, Readonly<Record<string, StatusLook>>>> = {
  partitions: partitionLooks,
  runs: runLooks,
  steps: stepLooks,
  attempts: attemptLooks,
  locations: locationLooks,
  outcomes: outcomeLooks,
};

describe("The status dictionary", () => {
  it("has every status that the domain decides, in the domain's order", () => {
    expect(Object.keys(partitionLooks)).toEqual(partitionStatuses);
  });

  it("says each by the API's own name in plain words, so that it can be typed on the command line", () => {
    expect(partitionStatuses.map((status) => inWords(status))).toEqual([
      "materializing",
      "failed",
      "errored",
      "compute failed",
      "blocked",
      "pending",
      "waived",
      "warned",
      "passed",
      "unchecked",
      "never materialized",
    ]);
  });

  it("never tells failed and blocked apart by colour alone", () => {
    for (const looks of Object.values(dictionaries)) {
      const [failed, blocked] = [looks["failed"], looks["blocked"]];
      if (failed !== undefined && blocked !== undefined) expect(failed.glyph).not.toBe(blocked.glyph);
    }
  });

  it("draws within the square of 16 that each glyph is given", () => {
    const used = Object.values(dictionaries).flatMap((looks) => Object.values(looks).map(({ glyph }) => glyph));
    expect(new Set(used)).toEqual(new Set(Object.keys(glyphPaths)));
    for (const { line, fill = "" } of Object.values(glyphPaths)) expect(line + fill).not.toBe("");
  });
});
