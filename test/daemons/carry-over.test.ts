import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { carryOverHistories } from "../../control-plane/src/storage/carry-over.ts";
import { listAudit } from "../../control-plane/src/storage/audit.ts";
import { historyTables } from "../../control-plane/src/storage/move-history.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation, Pause, succeeded } from "../support/fake-location.ts";
import { assetOf, checkOf, keyOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
let location: FakeLocation;
beforeEach(async () => {
  engine = await Engine.open([
    locationOf("a", [assetOf("a/raw"), assetOf("a/old", ["a/raw"])], [checkOf("a/old", "fit")]),
  ]);
  location = new FakeLocation("a", { compute: ({ command }) => succeeded(command, { fit: verdict }) });
  verdict = "passed";
  await engine.startDaemon([location]);
});
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  expect(violations).toEqual([]);
});

let verdict: "passed" | "failed";
const named = (key: string, formerly: string) => assetOf(key, ["a/raw"], { formerly: keyOf(formerly) });

async function carryOver(): Promise<string[]> {
  const carried = await carryOverHistories(engine.pool);
  await engine.mirror.refresh();
  await engine.pool.query("select pg_notify('headgate_events', '')");
  return carried.map(({ from, to, outcome }) => `${from} -> ${to} ${outcome}`);
}

const keysIn = async (table: string) => {
  const { rows } = await engine.pool.query(
    `select distinct asset_key from ${table} where asset_key in ('a/old', 'a/new')`,
  );
  return rows.map(({ asset_key }) => asset_key);
};
const errors = () => engine.mirror.current().errors.map(({ key, code }) => `${key} ${code.replace("definition.", "")}`);

describe("formerly", () => {
  test("carries everything over once nothing is in flight, and whatever is made then continues it", async () => {
    await engine.define(
      locationOf(
        "a",
        [assetOf("a/raw"), assetOf("a/old", ["a/raw"]), assetOf("a/end", ["a/old"])],
        [checkOf("a/old", "fit")],
      ),
    );
    expect(await engine.run("a/raw+")).toBe("succeeded");
    const pause = new Pause();
    location.compute = (attempt) =>
      attempt.command.asset === "a/old" ? pause.compute(attempt) : succeeded(attempt.command);
    const run = await engine.launch("a/old");
    await pause.begun;
    const renamed = locationOf(
      "a",
      [assetOf("a/raw"), named("a/new", "a/old"), assetOf("a/end", ["a/new"])],
      [checkOf("a/new", "fit")],
    );
    await engine.define(renamed);
    expect(await carryOver()).toEqual([]);
    expect(errors()).toContain("a/new history_in_flight");
    await pause.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    expect(await carryOver()).toEqual(["a/old -> a/new done"]);
    expect(errors()).toEqual([]);
    for (const table of historyTables)
      expect([table, await keysIn(table)]).toEqual([table, expect.not.arrayContaining(["a/old"])]);
    for (const table of ["versions", "check_results", "steps", "attempts"])
      expect(await keysIn(table)).toEqual(["a/new"]);
    expect(await engine.count("from events where asset_key = 'a/new' and kind = 'asset_renamed'")).toBe(1);
    // The same manifest again, and the same wish in the next one: nothing more to do.
    await engine.define(renamed);
    await engine.define(
      locationOf("a", [...renamed.assets, { ...renamed.assets[0]!, definition: assetOf("a/other") }], renamed.checks),
    );
    expect(await carryOver()).toEqual([]);
    expect(await engine.run("a/new")).toBe("succeeded");
    expect(await engine.count("from versions where asset_key = 'a/new'")).toBe(3);
  });

  test("takes a history over to an output of a multi-asset, which is computed as a whole once it has it", async () => {
    expect(await engine.run("a/raw or a/old")).toBe("succeeded");
    const multi = { outputs: [keyOf("a/new"), keyOf("a/half")], canSubset: false };
    await engine.define(
      locationOf("a", [
        assetOf("a/raw"),
        assetOf("a/new", ["a/raw"], { formerly: keyOf("a/old"), multi }),
        assetOf("a/half", ["a/raw"], { multi }),
      ]),
    );
    await expect(engine.plan({ selection: "a/half" })).rejects.toThrow("a/new, which did not load");
    expect(await carryOver()).toEqual(["a/old -> a/new done"]);
    expect(errors()).toEqual([]);
    expect(await engine.run("a/half")).toBe("succeeded");
    expect(await engine.count("from versions where asset_key = 'a/new'")).toBe(2);
  });

  test("keeps results and waivers in force: what was open is, and what was closed stays closed", async () => {
    verdict = "failed";
    expect(await engine.run("a/raw or a/old")).toBe("blocked");
    await engine.define(
      locationOf(
        "a",
        [assetOf("a/raw"), named("a/new", "a/old"), assetOf("a/end", ["a/new"])],
        [checkOf("a/new", "fit", { newVersionsOnly: true })],
      ),
    );
    // For new versions only: since the check was first seen, which was long before it had this name.
    expect(await carryOver()).toEqual(["a/old -> a/new done"]);
    expect(await engine.run("a/end")).toBe("blocked");
  });

  test("tells that a gate opened when its check went with the old key", async () => {
    verdict = "failed";
    await engine.run("a/raw or a/old");
    await engine.define(locationOf("a", [assetOf("a/raw"), named("a/new", "a/old"), assetOf("a/end", ["a/new"])]));
    await carryOver();
    const { payload } = await engine.until<{ payload: object }>(
      "select payload from events where kind = 'gate_opened'",
    );
    expect(payload).toMatchObject({ cause: "definition", checks: ["a/new@a:fit"] });
    expect(await engine.run("a/end")).toBe("succeeded");
  });

  test("follows a chain, across locations of the team, and back when a deploy is taken back", async () => {
    expect(await engine.run("a/raw or a/old")).toBe("succeeded");
    await engine.define(locationOf("a", [assetOf("a/raw"), named("a/second", "a/old")]));
    await carryOver();
    await engine.define(locationOf("a", [assetOf("a/raw")]));
    await engine.define(locationOf("a", [named("a/third", "a/second")], [], { location: "a-annex" }));
    expect(await carryOver()).toEqual(["a/second -> a/third done"]);
    expect(engine.mirror.current().asset("a/third")?.location).toBe("a-annex");
    expect(Object.fromEntries(engine.mirror.current().renamed)).toEqual({ "a/old": "a/third", "a/second": "a/third" });
    const annex = new FakeLocation("a-annex");
    annex.connect(() => engine.daemons[0]!.drive.contact);
    expect(await engine.run("a/third")).toBe("succeeded");
    expect(await engine.count("from versions where asset_key = 'a/third'")).toBe(2);

    await engine.define(locationOf("a", [], [], { location: "a-annex" }));
    await engine.define(locationOf("a", [assetOf("a/raw"), assetOf("a/old", ["a/raw"])]));
    expect(await carryOver()).toEqual(["a/third -> a/old done"]);
    expect(await engine.count("from versions where asset_key = 'a/old'")).toBe(2);
    expect(Object.fromEntries(engine.mirror.current().renamed)).toEqual({ "a/second": "a/old", "a/third": "a/old" });
  });

  test("mixes no two histories, and says so on the asset until one of them is given up", async () => {
    await engine.define(locationOf("a", [assetOf("a/raw"), assetOf("a/old"), assetOf("a/new")]));
    expect(await engine.run("a/old or a/new")).toBe("succeeded");
    await engine.define(locationOf("a", [assetOf("a/raw"), named("a/new", "a/old")]));
    expect(await carryOver()).toEqual(["a/old -> a/new refused"]);
    expect(errors()).toEqual(["a/new history_exists"]);
    expect(await carryOver()).toEqual([]);
    await engine.define(locationOf("a", [assetOf("a/raw"), assetOf("a/new")]));
    expect(errors()).toEqual([]);
    expect(await engine.count("from asset_renames")).toBe(0);
  });
});

test("every table that says whose history a row is, is carried over", async () => {
  const { rows } = await engine.pool.query<{ name: string }>(
    `select table_name as name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
     where column_name = 'asset_key' and table_schema = 'public' and table_name !~ '^events_' and table_type = 'BASE TABLE' order by 1`,
  );
  const registry = ["asset_deletions", "asset_gate", "asset_owners"];
  expect(rows.map(({ name }) => name)).toEqual([...historyTables, ...registry].sort());
});

test("the audit of an asset has what was done to it under its former keys", async () => {
  await engine.run("a/raw or a/old");
  await engine.pool.query("insert into audit (actor, action, subject) values ('ada', 'owner.transfer', 'a/old')");
  await engine.define(locationOf("a", [assetOf("a/raw"), named("a/new", "a/old")]));
  await carryOver();
  const page = await listAudit(engine.database.db, { subject: "a/new" }, { limit: 10 });
  expect(page.items.map(({ subject }) => subject)).toEqual(["a/old"]);
});
