import { expect, test } from "vitest";
import { unknownConfigFields } from "../../control-plane/src/domain/unknown-config-fields.ts";

const schema = { type: "object", properties: { lines: { type: "integer" }, flightsMin: { type: "integer" } } };

test("a field that an asset's config does not list is named with the nearest one, or with all there are", () => {
  expect(unknownConfigFields(schema, { lnies: 1, lines: 2 })).toEqual([
    { path: "lnies", message: "is not known here: did you mean lines?" },
  ]);
  expect(unknownConfigFields(schema, { color: "red" })).toEqual([
    { path: "color", message: "is not known here: it takes lines, flightsMin" },
  ]);
  expect(unknownConfigFields(schema, JSON.parse('{ "__proto__": 1, "constructor": 2 }'))).toHaveLength(2);
});

test("a schema that may take more than it lists refuses no field for its name", () => {
  for (const more of [{ additionalProperties: {} }, { patternProperties: { "^x": {} } }, { allOf: [{}] }]) {
    expect(unknownConfigFields({ ...schema, ...more }, { color: "red" })).toEqual([]);
  }
  expect(unknownConfigFields({ type: "object" }, { color: "red" })).toEqual([]);
  expect(unknownConfigFields(schema, "no object")).toEqual([]);
});
