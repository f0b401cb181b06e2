import { describe, expect, it } from "vitest";
import { configFields, fieldValue } from "../../web/src/pages/launch/config-fields.ts";

describe("Config that is typed", () => {
  it("has a field for each property of the schema, with its default and what it may be", () => {
    const fields = configFields({
      type: "object",
      properties: {
        name: { type: "string", description: "of the report" },
        depth: { type: "integer", default: 3 },
        source: { enum: ["faa", "icao"] },
        strict: { type: "boolean" },
        ranges: { type: "array" },
      },
      required: ["name", "depth"],
    });
    expect(fields.map(({ name, type, required, byDefault }) => [name, type, required, byDefault])).toEqual([
      ["name", "text", true, ""],
      ["depth", "number", false, "3"],
      ["source", "choice", false, ""],
      ["strict", "boolean", false, ""],
      ["ranges", "json", false, ""],
    ]);
  });

  it("becomes the value that the schema asks for, and stays text where it is none", () => {
    expect(fieldValue("text", "007")).toBe("007");
    expect(fieldValue("number", "7")).toBe(7);
    expect(fieldValue("boolean", "true")).toBe(true);
    expect(fieldValue("json", "[1, 2]")).toEqual([1, 2]);
    expect(fieldValue("number", "seven")).toBe("seven");
  });

  it("has none where the asset takes no config", () => {
    expect(configFields(null)).toEqual([]);
  });
});
