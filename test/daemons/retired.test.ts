import { afterEach, expect, test } from "vitest";
import { Engine } from "../support/engine.ts";
import { FakeLocation, succeeded } from "../support/fake-location.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  expect(violations).toEqual([]);
});

const errors = () => engine.mirror.current().errors.map(({ key, code }) => `${key} ${code}`);

test("a retired asset serves the readers that it has, under their own checks, refuses new ones, and is made again when it returns", async () => {
  const source = locationOf("a", [assetOf("a/x")], [checkOf("a/x", "fit")]);
  const reader = (...more: string[]) =>
    locationOf(
      "b",
      ["b/r", ...more].map((key) => assetOf(key, ["a/x"])),
      [checkOf("a/x", "known")],
    );
  engine = await Engine.open([source, locationOf("b", [assetOf("b/r", ["a/x"])])]);
  const a = new FakeLocation("a");
  const b = new FakeLocation("b");
  await engine.startDaemon([a, b]);
  expect(await engine.run("a/x")).toBe("succeeded");
  await engine.define(locationOf("a", []));
  expect(engine.mirror.current().asset("a/x")).toMatchObject({ retired: true });
  expect(engine.mirror.current().warnings.map(({ key }) => key)).toEqual(["b/r"]);
  expect(await engine.run("b/r")).toBe("succeeded");
  // A check that is new, of the reader's team, on what is retired: it runs where it is defined, and gates.
  await engine.define(reader());
  b.compute = ({ command }) => succeeded(command, { known: "failed" });
  expect(await engine.run("b/r")).toBe("blocked");
  expect(b.begun.filter(({ work }) => work.kind === "checks").map(({ asset }) => asset)).toEqual(["a/x"]);
  // The owner's check went with the asset, and still judges.
  expect(
    engine.mirror
      .current()
      .asset("a/x")
      ?.checks.map(({ id }) => id),
  ).toEqual(["a/x@a:fit", "a/x@b:known"]);
  await engine.define(reader("b/new"));
  expect(errors()).toEqual(["b/new definition.retired_upstream"]);
  await engine.define(source);
  expect(errors()).toEqual([]);
  expect(engine.mirror.current().warnings).toEqual([]);
  b.compute = ({ command }) => succeeded(command);
  expect(await engine.run("a/x or b/r or b/new")).toBe("succeeded");
});
