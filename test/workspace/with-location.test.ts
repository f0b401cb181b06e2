import { expect, test } from "vitest";
import { withLocation } from "../../control-plane/src/workspace/with-location.ts";

const orders = { locationName: "orders", path: "code-locations/orders", team: "orders" };
const entry = "module: { path: code-locations/orders, location_name: orders }";

test("an entry is added after the last one, and no other character changes", () => {
  const text = `# Who to call.
teams:
  flights: { contacts: [flights@example.com] } # by day
load_from:
  - module: { path: "a", location_name: first } # the oldest
  # the other
  - grpc_server:
      host: b.internal
      port: 4000
      location_name: second # deployed

# the end
`;
  const expected = text.replace("second # deployed\n", `second # deployed\n  - ${entry}\n`);
  expect(withLocation(text, orders)).toBe(expected);
});

test("a list keeps its own indentation and its line endings, and need not end in a newline", () => {
  const text = "load_from:\r\n- module: { path: a, location_name: a }";
  expect(withLocation(text, orders)).toBe(`${text}\r\n- ${entry}\r\n`);
});

test("what stands after load_from stays after it", () => {
  const text = "load_from:\n  - module: { path: a, location_name: a }\nteams: {}\n";
  expect(withLocation(text, orders)).toBe(text.replace("teams", `  - ${entry}\nteams`));
});

test("a list that is written in brackets stays so", () => {
  const text = "load_from: [{ module: { path: a, location_name: a } }] # short\n";
  expect(withLocation(text, orders)).toBe(
    `load_from: [{ module: { path: a, location_name: a } }, { ${entry} } ] # short\n`,
  );
  expect(withLocation("load_from: []\n", orders)).toBe(`load_from: [ { ${entry} } ]\n`);
});

test("a file without a list gets one at its end", () => {
  for (const text of ["", "# nothing yet\n", "teams: {}\n"]) {
    expect(withLocation(text, orders)).toBe(`${text}load_from:\n  - ${entry}\n`);
  }
  expect(withLocation("load_from: # none\nteams: {}\n", orders)).toBe(`load_from: # none\n  - ${entry}\nteams: {}\n`);
});

test("a team of another name is named", () => {
  expect(withLocation("", { ...orders, team: "sales" })).toContain("location_name: orders, team: sales }");
});

test("a file that is no mapping, or is wrong, has no place for an entry", () => {
  for (const text of ["- a\n", "{ load_from: [] }\n", "load_from: some\n", "load_from: [\n"]) {
    expect(withLocation(text, orders)).toBeUndefined();
  }
});
