import { afterEach, describe, expect, test } from "vitest";
import { Engine } from "../support/engine.ts";
import { FakeLocation, succeeded } from "../support/fake-location.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
afterEach(() => engine.close());

describe("a run", () => {
  test("computes a chain in order, each step once, with two events and one commit a hop", async () => {
    const keys = Array.from({ length: 20 }, (_, n) => `a/n${n}`);
    const assets = keys.map((key, n) => assetOf(key, n === 0 ? [] : [keys[n - 1]!]));
    const checks = keys.map((key) => checkOf(key, "ok"));
    engine = await Engine.open([locationOf("a", assets, checks)]);
    const location = new FakeLocation("a");
    await engine.startDaemon([location]);
    const run = await engine.launch("a/n0+");
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.begun.map((command) => command.asset)).toEqual(keys);
    expect((await engine.events(run)).length).toBe(2 + 1 + 2 * keys.length);
  });

  test("computes a diamond: both sides of one version, the bottom after both", async () => {
    engine = await Engine.open([
      locationOf("a", [
        assetOf("a/top"),
        assetOf("a/l", ["a/top"]),
        assetOf("a/r", ["a/top"]),
        assetOf("a/end", ["a/l", "a/r"]),
      ]),
    ]);
    const location = new FakeLocation("a");
    await engine.startDaemon([location]);
    expect(await engine.run("a/top+")).toBe("succeeded");
    expect(location.begun.map((command) => command.asset)).toEqual(["a/top", "a/l", "a/r", "a/end"]);
  });

  test("ends blocked where a check failed: a stored decision, and no attempt", async () => {
    engine = await Engine.open([
      locationOf(
        "a",
        [assetOf("a/raw"), assetOf("a/clean", ["a/raw"]), assetOf("a/end", ["a/clean"])],
        [checkOf("a/raw", "enough")],
      ),
    ]);
    const location = new FakeLocation("a", { compute: ({ command }) => succeeded(command, { enough: "failed" }) });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/raw+");
    expect(await engine.ended(run)).toBe("blocked");
    expect(await engine.steps(run)).toEqual(["a/raw succeeded", "a/clean blocked", "a/end blocked"]);
    expect(await engine.count("from attempts where asset_key <> 'a/raw'")).toBe(0);
    expect(await engine.count("from decisions where outcome = 'blocked'")).toBe(2);
  });
});
