import { afterAll, beforeAll, describe, expect, test } from "vitest";
import pg from "pg";
import { openObjectStore } from "@headgate/connections";
import { type Deployment, deploymentKinds, type Version } from "../support/deployment.ts";
import { ExampleTeams } from "../support/example-teams.ts";
import { createDeployment } from "../support/start-deployment.ts";

/*
 * Isolation and validation on one small sample: team etl fails in every way that there is, team ml notices none of it.
 * The tests of a deployment tell one story, in order.
 */

const mine = ["ml/training_data", "ml/model", "ml/model_card"];
const untouched = ["etl/pull_other_data", "etl/do_not_clean_data", "etl/do_other_operation", "etl/returns_wrong_type"];

describe.each(deploymentKinds)("teams etl and ml on a %s deployment", (kind) => {
  const teams = new ExampleTeams();
  let headgate: Deployment;

  beforeAll(async () => {
    headgate = await createDeployment(kind, {
      locations: [
        { name: "etl", module: teams.module("etl"), database: "ETL_DATABASE_URL" },
        { name: "ml", module: teams.module("ml") },
      ],
    });
    await headgate.start();
  });

  afterAll(async () => {
    try {
      await headgate.stop();
    } finally {
      teams.remove();
    }
  });

  const metadata = (version: Version) =>
    Object.fromEntries(version.metadata.map(({ name, value }) => [name, value] as const));
  const idsOf = async (keys: readonly string[]) =>
    (await Promise.all(keys.map((key) => headgate.versions(key)))).flat().map(({ id }) => id);
  const attemptsOf = (run: string) => headgate.query("select id from attempts where run_id = $1", [run]);
  const lastRun = async () => {
    const [run] = await headgate.api.list("listRuns", "/runs", {}, 1);
    if (run === undefined) throw new Error("there is no run");
    return run;
  };

  async function valueOf(version: Version): Promise<unknown> {
    const store = await openObjectStore(headgate.objectStore);
    try {
      const [row] = await headgate.query<{ value: Parameters<typeof store.get>[0] }>(
        "select value from versions where id = $1",
        [version.id],
      );
      if (row === undefined) throw new Error(`version ${version.id} is not there`);
      const bytes = await store.get(row.value, { sizeBytesMax: 1_000_000 });
      return JSON.parse(Buffer.from(bytes).toString()) as unknown;
    } finally {
      await store.close();
    }
  }

  test("fill by themselves: 108 rows become 100, and least squares finds what they were made of", async () => {
    await headgate.until("the card was written", async () => (await headgate.versions("ml/model_card"))[0]);
    expect(metadata(await headgate.newest("etl/pull_data"))).toMatchObject({ rows: 108 });
    const clean = await headgate.newest("etl/clean_data");
    expect(clean.state).toBe("passed");
    expect(metadata(clean)).toMatchObject({ rows: 100, empty: 5, repeated: 3 });
    expect(await valueOf(clean)).toHaveLength(100);
    const model = await headgate.newest("ml/model");
    const { coefficients, intercept, metrics } = (await valueOf(model)) as {
      coefficients: Record<string, number>;
      intercept: number;
      metrics: { rows: number; rmse: number };
    };
    for (const [name, expected] of Object.entries({ x_1: 10, x_2: 100, x_3: 1000, x_4: 0.5 })) {
      expect(coefficients[name], name).toBeCloseTo(expected, 6);
    }
    expect(intercept).toBeCloseTo(2.2, 6);
    expect(metrics).toMatchObject({ rows: 100, rmse: expect.closeTo(0, 6) as number });
    expect(model.state).toBe("unchecked");
    for (const key of untouched) expect(await headgate.versions(key), key).toEqual([]);
  });

  test("readers outside see the 100 rows once they are open, the same after they were made again", async () => {
    const view =
      "select count(*)::integer as rows, count(distinct x_1)::integer as distinct, sum(y) as sum from samples.etl__save_to_postgres";
    const outside = new pg.Client({ connectionString: headgate.databaseOf("etl") });
    await outside.connect();
    try {
      const first = await headgate.until("it is published", async () => {
        return (await outside.query<{ rows: number; distinct: number; sum: number }>(view)).rows[0];
      });
      expect(first).toMatchObject({ rows: 100, distinct: 100 });
      const { status, stdout } = await headgate.cli("materialize", "etl/save_to_postgres");
      expect(status, stdout).toBe(0);
      const { id, dataVersion } = await headgate.newest("etl/save_to_postgres");
      const [, before] = await headgate.versions("etl/save_to_postgres");
      expect(dataVersion).toBe(before?.dataVersion);
      await headgate.until("the new version is published", async () => {
        return (
          (await headgate.versions("etl/save_to_postgres")).find(({ publishedAt }) => publishedAt !== null)?.id === id
        );
      });
      expect((await outside.query(view)).rows[0]).toEqual(first);
    } finally {
      await outside.end();
    }
  });

  test("`+etl/clean_data` ends with 0, and the same rows are the same data version", async () => {
    const before = await headgate.newest("etl/clean_data");
    const { status, stdout } = await headgate.cli("materialize", "+etl/clean_data");
    expect(status, stdout).toBe(0);
    const after = await headgate.newest("etl/clean_data");
    expect(after.id).not.toBe(before.id);
    expect(after.dataVersion).toBe(before.dataVersion);
  });

  test("`+etl/do_other_operation` ends with 3 and shows check, nulls and run on one screen", async () => {
    const { status, stdout } = await headgate.cli("materialize", "+etl/do_other_operation");
    expect(status, stdout).toBe(3);
    expect(stdout.split("\n").length).toBeLessThan(45);
    expect(stdout).toContain("etl/do_other_operation");
    const nulls = Number(/check no_nulls failed: (\d+) nulls in \d+ of 100 rows/.exec(stdout)?.[1]);
    expect(nulls).toBeGreaterThanOrEqual(25);
    expect(nulls).toBeLessThanOrEqual(40);
    expect(stdout).toContain((await lastRun()).id);
  });

  test("`etl/do_other_operation` alone ends with 3, without an attempt", async () => {
    const { status, stdout } = await headgate.cli("materialize", "etl/do_other_operation");
    expect(status, stdout).toBe(3);
    expect(stdout).toContain("no_nulls");
    const run = await lastRun();
    expect(run).toMatchObject({ state: "blocked", stepCount: 1 });
    expect(await attemptsOf(run.id)).toEqual([]);
  });

  test("`etl/returns_wrong_type` ends with 1, names what is wrong and stores nothing", async () => {
    const { status, stdout } = await headgate.cli("materialize", "etl/returns_wrong_type");
    expect(status, stdout).toBe(1);
    expect(stdout).toContain("at rows: Invalid input: expected number, received string (step.value_invalid)");
    expect(stdout).toMatch(/\n {4}at assets\/returns-wrong-type\.ts:\d+:\d+\n/);
    expect(await headgate.versions("etl/returns_wrong_type")).toEqual([]);
  });

  test("`etl/*` ends with 1, with what failed and what was blocked listed apart; ml is untouched by all of it", async () => {
    const before = await idsOf(mine);
    const { status, stdout } = await headgate.cli("materialize", "etl/*");
    expect(status, stdout).toBe(1);
    expect(stdout).toMatch(/\nFailed\n {2}etl\/returns_wrong_type\n/);
    expect(stdout).toMatch(/\nBlocked\n {2}etl\/do_other_operation\n/);
    expect(await headgate.versions("etl/do_other_operation")).toEqual([]);
    const { status: went } = await headgate.cli("materialize", "ml/*");
    expect(went).toBe(0);
    expect(await idsOf(mine)).toEqual(expect.arrayContaining(before));
  });

  test("a bad version of etl does not reach ml: it goes on with the last one that was validated", async () => {
    const good = await headgate.newest("etl/clean_data");
    const undo = teams.replace("etl/assets/clean-data.ts", "pulled.filter(isComplete)", "pulled as Sample[]");
    const { buildId } = await headgate.location("etl");
    if (kind === "split") {
      await headgate.killLocation("etl");
      await headgate.reviveLocation("etl");
    }
    await headgate.until("the code is reloaded", async () => (await headgate.location("etl")).buildId !== buildId);
    const broken = await headgate.cli("materialize", "etl/clean_data");
    expect(broken.status, broken.stdout).toBe(3);
    expect(broken.stdout).toContain("check no_nulls failed: 5 nulls in 1 of 101 rows");
    const trained = await headgate.cli("materialize", "ml/*");
    expect(trained.status, trained.stdout).toBe(0);
    const [input] = (await headgate.newest("ml/training_data")).inputs;
    expect(input?.versions.map(({ id }) => id)).toEqual([good.id]);
    undo();
  });

  test("with etl killed, ml runs on", async () => {
    await headgate.killLocation("etl");
    const { status, stdout } = await headgate.cli("materialize", "ml/*");
    expect(status, stdout).toBe(0);
    await headgate.reviveLocation("etl");
    await headgate.healthy("etl");
  });

  test("`headgate verify` finds nothing wrong with the whole story", async () => {
    await headgate.verify();
  });
});
