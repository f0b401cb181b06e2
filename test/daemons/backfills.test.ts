import { v7 as newId } from "uuid";
import { afterEach, describe, expect, test } from "vitest";
import type { ApiContext } from "../../control-plane/src/http/api-context.ts";
import type { BackfillAnswer } from "../../control-plane/src/http/present-backfill.ts";
import { backfillRoutes } from "../../control-plane/src/http/routes/backfill-routes.ts";
import { Engine, listenerOf } from "../support/engine.ts";
import { type Compute, FakeLocation, Pause, succeeded, threw } from "../support/fake-location.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  // Whatever happened: the history keeps every rule.
  expect(violations).toEqual([]);
});

const keys = Array.from({ length: 12 }, (_, n) => String(n + 1).padStart(2, "0"));
const partitions = { kind: "static", keys } as const;
const raw = assetOf("a/raw", [], { partitions });
const clean = assetOf("a/clean", ["a/raw"], { partitions });
const copy = assetOf("b/copy", ["a/raw"], { partitions });

/** As the API is asked by "ada". */
const api = {
  context: (): ApiContext =>
    ({
      pool: engine.pool,
      db: engine.database.db,
      graph: () => engine.mirror.current(),
      now: Date.now,
      newId,
    }) as unknown as ApiContext,
  actor: { name: "ada" } as never,
  create: (selection: string, more: object = {}) =>
    backfillRoutes.createBackfill(api.context(), {
      params: {},
      query: {},
      body: { selection, partitionsPerRun: 5, ...more },
      actor: api.actor,
      idempotency: undefined,
    }),
  change: (verb: "cancel" | "pause" | "resume" | "retry", id: string) =>
    backfillRoutes[`${verb}Backfill`](api.context(), {
      params: { id },
      query: {},
      body: {},
      actor: api.actor,
      idempotency: undefined,
    }),
  show: (id: string) =>
    backfillRoutes.getBackfill(api.context(), {
      params: { id },
      query: {},
      body: {},
      actor: api.actor,
      idempotency: undefined,
    }),
};

const ended = async (id: string): Promise<BackfillAnswer> => {
  await engine.until("select from backfills where id = $1 and ended_at is not null", [id], 20_000);
  return api.show(id);
};

/** "team/asset status partitions", in order. */
const linesOf = ({ parts }: BackfillAnswer): string[] =>
  parts.flatMap(({ asset, ranges }) => ranges.map(({ status, partitions: of }) => `${asset} ${status} ${of}`));

const madeOnce = async (): Promise<number> => {
  expect(
    await engine.count("from (select 1 from attempts group by asset_key, partition_key having count(*) > 1) x"),
  ).toBe(0);
  return engine.count("from versions");
};

const passing: Compute = ({ command }) => succeeded(command);

describe("a backfill", () => {
  test("makes every partition once, in runs of bounded size, each after what it reads", async () => {
    engine = await Engine.open([locationOf("a", [raw, clean])]);
    const location = new FakeLocation("a");
    await engine.startDaemon([location]);
    const { id, counts } = await api.create("a/*");
    expect(counts).toEqual({ waiting: 24 });
    const end = await ended(id);
    expect([end.state, end.counts, end.runs]).toEqual(["succeeded", { succeeded: 24 }, { all: 3, open: 0 }]);
    expect(linesOf(end)).toEqual(["a/raw succeeded 01..12", "a/clean succeeded 01..12"]);
    expect(await madeOnce()).toBe(24);
    expect(await engine.count("from runs where source = 'backfill' and actor = 'ada' and step_count <= 10")).toBe(3);
    expect(await engine.count("from events where kind in ('backfill_created', 'backfill_succeeded')")).toBe(2);
    expect(await engine.count("from audit where action = 'backfill.create' and subject = $1", [id])).toBe(1);
  });

  test("goes on past what failed or was blocked, holds back what reads it, and makes only the rest when it is retried", async () => {
    engine = await Engine.open([
      locationOf("a", [raw, clean, assetOf("a/end", ["a/clean"], { partitions })], [checkOf("a/raw", "ok")]),
    ]);
    let isMended = false;
    const location = new FakeLocation("a", {
      compute: ({ command }) => {
        const { asset, partition } = command;
        if (isMended || asset === "a/end") return succeeded(command);
        if (asset === "a/clean" && partition === "03") return threw("no disk");
        return succeeded(command, asset === "a/raw" && partition === "07" ? { ok: "failed" } : {});
      },
    });
    await engine.startDaemon([location]);
    // What reads them comes in a later run than they do.
    const { id } = await api.create("a/*", { partitionsPerRun: 12 });
    const end = await ended(id);
    expect(end.state).toBe("failed");
    expect(linesOf(end)).toEqual([
      "a/raw succeeded 01..12",
      "a/clean failed 03",
      "a/clean blocked 07",
      "a/clean succeeded 01..02,04..06,08..12",
      "a/end failed 03",
      "a/end blocked 07",
      "a/end succeeded 01..02,04..06,08..12",
    ]);
    isMended = true;
    expect(await engine.run("a/raw", { partitions: "07" })).toBe("succeeded");
    await api.change("retry", id);
    const again = await ended(id);
    expect([again.state, again.counts]).toEqual(["succeeded", { succeeded: 36 }]);
    expect(location.begunFor("a/clean", "04")).toHaveLength(1);
    expect(location.begunFor("a/clean", "03")).toHaveLength(2);
    // What was made once is not asked for by another that wants what is missing.
    await expect(api.create("a/*", { only: "missing" })).rejects.toMatchObject({ code: "backfill.nothing_to_do" });
    const closed = await api.create("a/*", { only: "blocked" }).catch((error: { code: string }) => error.code);
    expect(closed).toBe("backfill.nothing_to_do");
  });

  test("whose runs wait for gates makes the rest meanwhile, and ends by itself once they have opened", async () => {
    engine = await Engine.open([locationOf("a", [raw, clean], [checkOf("a/raw", "ok")])]);
    let isMended = false;
    const location = new FakeLocation("a", {
      compute: ({ command }) => {
        const shut = !isMended && command.asset === "a/raw" && Number(command.partition) <= 5;
        return succeeded(command, shut ? { ok: "failed" } : {});
      },
    });
    await engine.startDaemon([location]);
    // As many runs wait as are busy at once at most.
    const { id } = await api.create("a/*", { partitionsPerRun: 1, whenOpen: true });
    await engine.until("select from versions where asset_key = 'a/clean' having count(*) = 7");
    expect((await api.show(id)).state).toBe("running");
    isMended = true;
    expect(await engine.run("a/raw", { partitions: "01..05" })).toBe("succeeded");
    expect((await ended(id)).counts).toEqual({ succeeded: 24 });
  });

  test("whose location is away waits for it alone, and the rest is made", async () => {
    engine = await Engine.open([locationOf("a", [raw]), locationOf("b", [copy])]);
    const a = new FakeLocation("a");
    const b = new FakeLocation("b");
    const daemon = await engine.startDaemon([a]);
    const { id } = await api.create("a/* or b/*");
    await engine.until("select from versions where asset_key = 'a/raw' having count(*) = 12");
    await engine.until("select from backfill_runs having bool_and(is_counted)");
    const half = await api.show(id);
    expect([half.state, linesOf(half)]).toEqual(["running", ["a/raw succeeded 01..12", "b/copy waiting 01..12"]]);
    b.connect(listenerOf(daemon));
    expect((await ended(id)).counts).toEqual({ succeeded: 24 });
    expect(await madeOnce()).toBe(24);
  });

  test("creates no run while it is paused, and goes on when it is resumed", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [raw])]);
    const location = new FakeLocation("a", {
      compute: (attempt) => (attempt.command.partition === "01" ? pause.compute(attempt) : succeeded(attempt.command)),
    });
    await engine.startDaemon([location]);
    const { id } = await api.create("a/raw", { partitionsPerRun: 1 });
    await pause.begun;
    await api.change("pause", id);
    const { runs } = await api.show(id);
    await pause.succeed();
    await engine.until("select from backfill_runs having bool_and(is_counted)");
    expect((await api.show(id)).runs).toEqual({ all: runs.all, open: 0 });
    await expect(api.change("pause", id)).rejects.toMatchObject({ code: "backfill.wrong_state" });
    expect((await api.change("resume", id)).state).toBe("running");
    expect((await ended(id)).runs.all).toBe(12);
    expect(await madeOnce()).toBe(12);
  });

  test("that is canceled tells its runs to stop and creates none; what was made stays, and a retry makes the rest", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [raw])]);
    let compute: Compute = (attempt) =>
      attempt.command.partition === "03" ? pause.compute(attempt) : succeeded(attempt.command);
    const location = new FakeLocation("a", { compute: (attempt) => compute(attempt) });
    await engine.startDaemon([location]);
    const { id } = await api.create("a/raw", { partitionsPerRun: 3 });
    await pause.begun;
    await engine.until("select from versions having count(*) = 11");
    compute = passing;
    expect((await api.change("cancel", id)).state).toBe("canceling");
    const end = await ended(id);
    expect(end.state).toBe("canceled");
    const audited = "from audit where action = 'backfill.cancel' and subject = $1 and details ->> 'runs' = '1'";
    expect(await engine.count(audited, [id])).toBe(1);
    expect(linesOf(end)).toEqual(["a/raw canceled 03", "a/raw succeeded 01..02,04..12"]);
    await api.change("retry", id);
    expect((await ended(id)).counts).toEqual({ succeeded: 12 });
    expect(location.begunFor("a/raw", "03")).toHaveLength(2);
  });

  test("ends, and says why, where an asset of it is no longer defined", async () => {
    engine = await Engine.open([locationOf("a", [raw, clean])]);
    await engine.startDaemon();
    const { id } = await api.create("a/*");
    await engine.define(locationOf("a", [raw]));
    const end = await ended(id);
    expect([end.state, end.error?.code, end.error?.message]).toEqual([
      "failed",
      "backfill.definitions_changed",
      "a/clean is no longer made by a code location.",
    ]);
  });

  test("is refused, or ends, where an asset of it asks for config, which it does not give", async () => {
    const configSchema = { type: "object", properties: { year: { type: "integer" } }, required: ["year"] };
    const asking = assetOf("a/clean", ["a/raw"], { partitions, configSchema });
    engine = await Engine.open([locationOf("a", [raw, asking])]);
    await expect(api.create("a/*")).rejects.toMatchObject({ code: "config.invalid" });
    await engine.define(locationOf("a", [raw, clean]));
    const { id } = await api.create("a/*");
    await engine.define(locationOf("a", [raw, asking]));
    await engine.startDaemon([new FakeLocation("a")]);
    const end = await ended(id);
    expect([end.state, end.error?.code, end.runs.all]).toEqual(["failed", "config.invalid", 0]);
  });
});

describe("a backfill with several daemons", () => {
  test("goes on from what is committed when one dies: no partition is lost, none is made twice", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [raw, clean])]);
    const location = new FakeLocation("a", {
      compute: (attempt) =>
        attempt.command.asset === "a/clean" && attempt.command.partition === "02"
          ? pause.compute(attempt)
          : succeeded(attempt.command),
    });
    const first = await engine.startDaemon([location]);
    const { id } = await api.create("a/*", { partitionsPerRun: 2 });
    await pause.begun;
    await first.stop();
    const second = await engine.startDaemon();
    location.connect(listenerOf(second));
    await pause.succeed();
    const end = await ended(id);
    expect([end.state, end.counts, end.runs.all]).toEqual(["succeeded", { succeeded: 24 }, 6]);
    expect(await madeOnce()).toBe(24);
  });

  test("is advanced by one daemon at a time, however many look at it", async () => {
    engine = await Engine.open([locationOf("a", [raw])]);
    const location = new FakeLocation("a");
    const { id } = await api.create("a/raw");
    await engine.startDaemon([location]);
    await engine.startDaemon([new FakeLocation("a")]);
    expect((await ended(id)).runs.all).toBe(3);
    expect(await madeOnce()).toBe(12);
  });
});
