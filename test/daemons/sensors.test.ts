import { v7 as newId } from "uuid";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Sensors, type SensorsOptions } from "../../control-plane/src/daemons/sensors.ts";
import type { Evaluation, EvaluationAnswer, RequestedRun } from "../../control-plane/src/domain/evaluation.ts";
import { LocationError } from "../../control-plane/src/grpc/location-error.ts";
import { deleteDaemon, insertDaemon } from "../../control-plane/src/storage/daemons.ts";
import { Engine } from "../support/engine.ts";
import { assetOf, locationOf, sensorOf } from "../support/graph-definitions.ts";

/** The user code of a test's sensors, by sensor. */
type Code = (evaluation: Evaluation, signal: AbortSignal) => Partial<Answered> | Promise<Partial<Answered>>;
type Answered = Extract<EvaluationAnswer, { readonly kind: "answered" }>;

let engine: Engine;
const code = new Map<string, Code>();
const away = new Set<string>();
const started: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  engine = await Engine.open();
});
afterAll(async () => {
  await Promise.all(started.map((sensors) => sensors.stop()));
  await engine.close();
});

const log = { text: "", droppedBytes: 0 };
const run = (runKey: string, more: Partial<RequestedRun> = {}): RequestedRun => ({
  runKey,
  targets: [],
  partitions: "",
  config: {},
  tags: {},
  ...more,
});
const many = (count: number): RequestedRun[] => Array.from({ length: count }, (_, n) => run(`k${n}`));

const locations: SensorsOptions["locations"] = {
  isConnected: (location) => !away.has(location),
  evaluate: async (location, evaluation, signal) => {
    const gone = new LocationError("location.lost", `${location} is away`);
    if (away.has(location)) throw gone;
    const answered = await code.get(evaluation.sensor)?.(evaluation, signal);
    const nothing = { requests: [], addPartitions: [], cursor: undefined, skipReason: "" };
    return { kind: "answered", ...nothing, log, ...answered };
  },
};

interface Started {
  readonly sensors: Sensors;
  readonly daemon: string;
  /** As if its process was killed and its row taken by another daemon. */
  kill(): Promise<void>;
}

/** The loop of one daemon. */
async function start(options: Partial<SensorsOptions> = {}): Promise<Started> {
  const daemon = newId();
  await insertDaemon(engine.pool, { id: daemon, host: "h", pid: 1, processStart: "" });
  const sensors = new Sensors({
    pool: engine.pool,
    graph: () => engine.mirror.current(),
    refreshGraph: async () => void (await engine.mirror.refresh()),
    now: Date.now,
    newId: () => newId(),
    random: () => 0,
    monotonic: () => performance.now(),
    recorded: () => undefined,
    failed: (error) => void engine.complaints.push(String(error)),
    daemonId: () => daemon,
    locations,
    ...options,
  });
  started.push(sensors);
  const kill = async () => {
    await sensors.stop();
    await deleteDaemon(engine.pool, daemon);
  };
  return { sensors, daemon, kill };
}

/** A location whose sensors are evaluated every 100 ms. */
async function define(team: string, sensors: Readonly<Record<string, Code>>): Promise<void> {
  const regions = { kind: "dynamic", name: "regions" } as const;
  const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2002-01" } as const;
  const assets = [
    assetOf(`${team}/table`),
    assetOf(`${team}/by_month`, [], { partitions: months }),
    assetOf(`${team}/by_region`, [], { partitions: regions }),
  ];
  const targets = assets.map(({ key }) => key);
  for (const [name, does] of Object.entries(sensors)) code.set(`${team}/${name}`, does);
  const definitions = Object.keys(sensors).map((name) =>
    sensorOf(`${team}/${name}`, name.startsWith("every") ? targets : [`${team}/table`], { minimumIntervalMs: 100 }),
  );
  await engine.define(
    locationOf(team, assets, [], {
      sensors: definitions.map((definition) => ({ definition, hash: JSON.stringify(definition), firstSeenMs: 0 })),
    }),
  );
}

async function rows<T extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<T[]> {
  return (await engine.pool.query<T>(text, [...values])).rows;
}

async function sensor(name: string) {
  const [row] = await rows<{ cursor: string | null; failures: number; claimed_by: string | null }>(
    "select cursor, failures, claimed_by from automations where name = $1",
    [name],
  );
  return row;
}

const ticks = (name: string) =>
  rows<{
    state: string;
    reason: string;
    error: { code: string } | null;
    run_count: number;
    repeated_count: number;
    refused: { runKey?: string; code: string }[];
    evaluation_count: number;
    cursor_after: string | null;
  }>("select * from ticks where automation = $1 order by id", [name]);

/** One run for each of so many run keys, and nothing else. */
async function expectRuns(name: string, count: number): Promise<void> {
  const runs = await rows<{ run_key: string | null }>(
    `select k.run_key from runs r join ticks t on t.id = r.tick_id left join run_keys k on k.run_id = r.id
       where t.automation = $1`,
    [name],
  );
  expect(runs.length).toBe(count);
  expect(new Set(runs.map(({ run_key }) => run_key)).size).toBe(count);
  const [steps] = await rows<{ count: number }>(
    "select count(*) as count from steps s join runs r on r.id = s.run_id join ticks t on t.id = r.tick_id where t.automation = $1",
    [name],
  );
  expect(steps?.count).toBe(count);
}

describe("what an evaluation asks for", () => {
  test("is recorded with the cursor: a run for each run key, once, ever", async () => {
    await define("one", {
      files: ({ cursor }) => ({ requests: many(cursor === undefined ? 2 : 3), cursor: '"next"' }),
    });
    const { sensors } = await start({ evaluatesWhenDue: false });
    expect(await sensors.settle()).toBe(3);
    await expectRuns("one/files", 3);
    const ended = await ticks("one/files");
    expect(ended).toMatchObject([
      { state: "launched", run_count: 2, repeated_count: 0, cursor_after: '"next"' },
      { state: "launched", run_count: 1, repeated_count: 2 },
      { state: "skipped", run_count: 0, repeated_count: 3, reason: "all run keys have their runs already" },
    ]);
    const [first] = await rows(`select source, actor, selection from runs r join run_keys k on k.run_id = r.id
      where k.sensor = 'one/files' and k.run_key = 'k0'`);
    expect(first).toEqual({ source: "sensor", actor: "sensor:one/files", selection: "one/table" });
    expect(await engine.violations()).toEqual([]);
  });

  test("may be wrong in part: the rest is launched, and the tick says what was not, and why", async () => {
    const requests = [
      run("good"),
      run("unknown month", { targets: ["two/by_month" as never], partitions: "1999-01" }),
      run("all months", { targets: ["two/by_month" as never] }),
      run("foreign", { targets: ["one/table" as never] }),
      run("config", { config: { "two/table": { no: 1 } }, targets: ["two/table" as never] }),
      run("month", { targets: ["two/by_month" as never], partitions: "2001-03" }),
    ].map((request) => (request.runKey === "good" ? { ...request, targets: ["two/table" as never] } : request));
    await define("two", {
      every: ({ cursor }) => (cursor === undefined ? { requests, cursor: "1" } : { skipReason: "done" }),
    });
    const { sensors } = await start({ evaluatesWhenDue: false });
    expect(await sensors.settle()).toBe(2);
    const [tick] = await ticks("two/every");
    expect(tick).toMatchObject({ state: "launched", run_count: 2, cursor_after: "1" });
    expect(tick?.refused.map(({ runKey, code: why }) => [runKey, why])).toEqual([
      ["unknown month", "partitions.invalid"],
      ["all months", "sensor.partitions_missing"],
      ["foreign", "sensor.foreign_target"],
      ["config", "config.invalid"],
    ]);
    // What was refused has not used its run key up.
    const keys = await rows<{ run_key: string }>("select run_key from run_keys where sensor = 'two/every' order by 1");
    expect(keys.map((row) => row.run_key)).toEqual(["good", "month"]);
  });

  test("can be partitions that are added, and runs on them", async () => {
    await define("three", {
      every: ({ cursor }) => ({
        ...(cursor === undefined
          ? {
              requests: [run("r", { targets: ["three/by_region" as never], partitions: "eu,us" })],
              addPartitions: [{ set: "regions", keys: ["eu", "us"] }],
              cursor: "1",
            }
          : { skipReason: "done" }),
      }),
    });
    const { sensors } = await start({ evaluatesWhenDue: false });
    expect(await sensors.settle()).toBe(1);
    const made = await rows("select partition_key from steps where asset_key = 'three/by_region' order by 1");
    expect(made).toEqual([{ partition_key: "eu" }, { partition_key: "us" }]);
    const [audited] = await rows("select actor, subject from audit where action = 'partitions.add'");
    expect(audited).toEqual({ actor: "sensor:three/every", subject: "three/regions" });
  });

  test("that fails leaves the cursor, is told with its reason, and waits longer every time", async () => {
    let fails = true;
    await define("four", {
      failing: () => {
        if (fails) throw new LocationError("location.timed_out", "it did not answer");
        return { addPartitions: [{ set: "nowhere", keys: ["a"] }], cursor: "2" };
      },
    });
    const { sensors } = await start({ evaluatesWhenDue: false });
    await sensors.settle();
    await sensors.settle();
    const [due] = await rows<{ ms: number }>(
      "select extract(epoch from due_at - evaluated_at) * 1000 as ms from automations where name = 'four/failing'",
    );
    expect(Number(due?.ms)).toBeGreaterThan(1_900);
    fails = false;
    await sensors.settle();
    expect(await sensor("four/failing")).toMatchObject({ cursor: null, failures: 3, claimed_by: null });
    expect((await ticks("four/failing")).map(({ state, error }) => [state, error?.code])).toEqual([
      ["failed", "location.timed_out"],
      ["failed", "location.timed_out"],
      ["failed", "sensor.unknown_set"],
    ]);
  });
});

/**
 * A pool whose process is killed at the statement that contains `text`, before or after the server has carried it out:
 * its connections are cut, and nothing is asked any more.
 */
function mortalPool(pool: pg.Pool, text: string, when: "before" | "after"): pg.Pool {
  let isDead = false;
  const asked = async (statement: unknown, carriedOut: () => Promise<unknown>, cut: () => void): Promise<unknown> => {
    const isIt = typeof statement === "string" && statement.includes(text);
    if (isIt && when === "before") isDead = true;
    const result = isDead ? undefined : await carriedOut();
    if (isIt) isDead = true;
    if (!isDead) return result;
    cut();
    throw new Error(`killed ${when} ${text}`);
  };
  const connect = async (): Promise<pg.PoolClient> => {
    const client = await pool.connect();
    const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
    return new Proxy(client, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        if (name !== "query") return value.bind(target) as unknown;
        return (statement: string, values?: unknown[]) =>
          asked(
            statement,
            () => target.query(statement, values),
            () => stream.destroy(),
          );
      },
    });
  };
  const query = (statement: string, values?: unknown[]) =>
    asked(
      statement,
      () => pool.query(statement, values),
      () => undefined,
    );
  return new Proxy(pool, {
    get: (target, name) =>
      name === "connect" ? connect : name === "query" ? query : (Reflect.get(target, name) as unknown),
  });
}

/** What a kill can come between. */
const statements = [
  "update automations a\n       set claimed_by",
  "select run_key from run_keys",
  "insert into ticks",
  "insert into runs",
  "insert into steps",
  "insert into run_keys",
  "set claimed_by = null, claimed_until = null, evaluated_at = clock_timestamp(), failures = 0",
  "append_events",
  "commit",
];

describe("a daemon that is killed", () => {
  /** All of them at the statements after which there is most to lose; fewer elsewhere, for the sake of time. */
  const countAt = (text: string, when: string) =>
    when === "after" && ["insert into run_keys", "commit"].includes(text) ? 1_000 : 50;

  test.each([
    ["in one transaction", "five", false],
    ["with partitions that it adds", "six", true],
  ])(
    "anywhere while it records 1,000 requests %s loses none and repeats none",
    { timeout: 120_000 },
    async (_, team, adds) => {
      const failpoints = statements.flatMap((text) => (["before", "after"] as const).map((when) => ({ text, when })));
      const sensors = failpoints.map(({ text, when }, n): [string, Code] => [
        `s${n}`,
        ({ cursor }) =>
          cursor === undefined
            ? {
                requests: many(countAt(text, when)),
                cursor: `"${when} ${text.slice(0, 9).replaceAll("\n", " ")}"`,
                addPartitions: adds ? [{ set: "regions", keys: [`r${n}`] }] : [],
              }
            : { skipReason: "done" },
      ]);
      await define(team, Object.fromEntries(sensors));
      for (const [n, { text, when }] of failpoints.entries()) {
        // One sensor a failpoint, and none of the others.
        await engine.pool.query(
          "update automations set is_on = name = $1, switched_by = 'ada', switched_at = now() where kind = 'sensor'",
          [`${team}/s${n}`],
        );
        const dying = await start({ pool: mortalPool(engine.pool, text, when), evaluatesWhenDue: false });
        await dying.sensors.settle().catch(() => undefined);
        await dying.kill();
        const next = await start({ evaluatesWhenDue: false });
        await next.sensors.settle();
        await next.kill();
        expect((await sensor(`${team}/s${n}`))?.cursor).toContain(when);
      }
      for (const [n, { text, when }] of failpoints.entries()) await expectRuns(`${team}/s${n}`, countAt(text, when));
      expect((await ticks(`${team}/s0`)).filter(({ state }) => state === "launched").length).toBe(1);
    },
  );
});

describe("the loop", () => {
  test("evaluates 200 sensors again and again beside one that hangs and one whose location is away", async () => {
    const quick = Object.fromEntries(
      Array.from({ length: 200 }, (_, n): [string, Code] => [`q${n}`, () => ({ skipReason: "nothing" })]),
    );
    let hangs = 0;
    const hanging: Code = (_, signal) => {
      hangs++;
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    };
    away.add("away");
    let asked = 0;
    await define("seven", { ...quick, hanging });
    await define("away", {
      waiting: () => {
        asked++;
        return { skipReason: "back" };
      },
    });
    const { sensors, kill } = await start();
    sensors.changed();
    await engine.until(
      `select from ticks where automation like 'seven/q%' having count(*) = 200 and min(evaluation_count) >= 5`,
      [],
      30_000,
    );
    expect(hangs).toBe(1);
    expect(asked).toBe(0);
    // Skips with one reason share a row.
    expect((await ticks("seven/q7")).length).toBe(1);
    away.delete("away");
    sensors.locationOpened("away");
    await engine.until("select from ticks where automation = 'away/waiting' and state = 'skipped'");
    await kill();
  });

  test("of two daemons doubles no evaluation's effect", async () => {
    const counting: Code = ({ cursor }) => {
      const n = Number(cursor ?? 0);
      return n >= 5
        ? { skipReason: "enough" }
        : { requests: [run("", {})].map(({ runKey: _, ...rest }) => rest), cursor: String(n + 1) };
    };
    const names = Array.from({ length: 20 }, (_, n) => `c${n}`);
    await define("eight", Object.fromEntries(names.map((name) => [name, counting])));
    const daemons = [await start(), await start()];
    for (const { sensors } of daemons) sensors.changed();
    await engine.until(
      "select from ticks where automation like 'eight/%' and reason = 'enough' having count(distinct automation) = 20",
      [],
      30_000,
    );
    for (const { kill } of daemons) await kill();
    const made = await rows<{ runs: number }>(
      `select count(*) as runs from runs r join ticks t on t.id = r.tick_id where t.automation like 'eight/%'
         group by t.automation`,
    );
    expect(made.map(({ runs }) => runs)).toEqual(names.map(() => 5));
  });

  test("evaluates at once what somebody asks for, a sensor that is off too, and carries on where it was stopped", async () => {
    await define("nine", { off: () => ({ skipReason: "looked" }) });
    await engine.pool.query(
      "update automations set is_on = false, switched_by = 'ada', switched_at = now() where name = 'nine/off'",
    );
    const { sensors, kill } = await start();
    sensors.changed();
    await engine.pool.query(
      `insert into ticks (id, automation, asked_by, state, definition_hash) values ($1, 'nine/off', 'ada', 'requested', '')`,
      [newId()],
    );
    sensors.changed();
    await engine.until("select from ticks where automation = 'nine/off' and state = 'skipped' and asked_by = 'ada'");
    expect((await ticks("nine/off")).length).toBe(1);
    await kill();
  });
});
