import { describe, expect, it } from "vitest";
import { parseSelection } from "../../control-plane/src/domain/parse-selection.ts";
import { hasTerm, withTerm } from "../../web/src/pages/assets/selection-terms.ts";

describe("A facet", () => {
  it("adds its term and takes it out again, whatever was typed before", () => {
    for (const typed of [
      "",
      "team:flights",
      "+analytics/half_year_summary",
      "a/b or c/d",
      "(a/b or c/d) and kind:json",
    ]) {
      const added = withTerm(typed, "status:blocked", true);
      expect(parseSelection(added).ok, added).toBe(true);
      expect(hasTerm(added, "status:blocked")).toBe(true);
      expect(withTerm(added, "status:blocked", false)).toBe(typed);
    }
  });

  it("holds for both sides of an `or`", () => {
    expect(withTerm("a/b or c/d", "team:a", true)).toBe("(a/b or c/d) and team:a");
  });

  it("quotes what the language would not read as one word", () => {
    const added = withTerm("", "group:daily work", true);
    expect(parseSelection(added).ok, added).toBe(true);
  });
});
