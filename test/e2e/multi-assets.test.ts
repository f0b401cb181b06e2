import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Deployment, Run } from "../support/deployment.ts";
import { Ledger } from "../support/ledger.ts";
import { startDeployment } from "../support/start-deployment.ts";

/* Several assets that one call computes, with real processes: as their users meet them, and when something is killed. */

const module = fileURLToPath(new URL("locations/split", import.meta.url));
let ledger: Ledger;
let headgate: Deployment;

beforeAll(async () => {
  ledger = new Ledger();
  headgate = await startDeployment("split", { locations: [{ name: "split", module, env: ledger.env }] });
  await headgate.healthy("split");
});

afterAll(async () => {
  try {
    await (headgate as Deployment | undefined)?.stop();
  } finally {
    ledger.remove();
  }
});

afterEach(async () => {
  expect(ledger.doubleStarts()).toEqual([]);
  await headgate.verify();
});

const attempts = (run: string) =>
  headgate.query<{ asset: string; number: number; state: string; together: boolean }>(
    `select asset_key as asset, number, state, computation is not null as together
     from attempts where run_id = $1 order by number, asset_key`,
    [run],
  );

test("who asks for one output gets all, the plan says so, and readers go by the checks of what they read", async () => {
  const planned = await headgate.cli("plan", "split/numbers or split/train", "--partitions", "2001-04");
  expect(planned.stdout).toContain("3 steps: 3 would run");
  expect(planned.stdout).toMatch(
    /split\/rest 2001-04 {2}\(added: split\/train 2001-04 cannot be computed without it\)/,
  );
  const shown = await headgate.cli("asset", "show", "split/train");
  expect(shown.stdout).toContain("one call computes it together with split/rest");
  const { status, stdout } = await headgate.cli(
    "materialize",
    "split/numbers or split/train or split/model",
    "--partitions",
    "2001-01..2001-04",
    "--json",
  );
  const run = JSON.parse(stdout) as Run;
  // The check of the other half fails for the last two months: that shuts what reads it, and nothing else.
  expect([status, run.steps]).toEqual([3, { succeeded: 16 }]);
  const [model] = await headgate.versions("split/model", "2001-04");
  expect(model?.open).toBe(true);
  // What compute says of one output is a verdict on it, and on no other.
  const [train] = await headgate.versions("split/train", "2001-04");
  expect(train?.results).toMatchObject([{ name: "two", outcome: "passed", metadata: [{ name: "of", value: 4 }] }]);
  const [rest] = await headgate.versions("split/rest", "2001-04");
  expect(rest).toMatchObject({ open: false, state: "failed" });
  expect(rest?.metadata).toMatchObject([{ name: "rows" }]);
  // One call a month printed, and what it printed belongs to one of its steps.
  const { stdout: logs } = await headgate.cli("run", "logs", run.id);
  expect(logs.match(/halving 2001-0\d/g)?.sort()).toEqual([1, 2, 3, 4].map((n) => `halving 2001-0${n}`));
});

test("kill -9 of the location in the middle: both are computed again, together, and each has one version", async () => {
  const run = await headgate.launch("split/killed_low");
  await ledger.until({ what: "start", asset: "split/killed_high", run: run.id });
  const pid = await headgate.killLocation("split");
  await headgate.reviveLocation("split");
  await headgate.healthy("split", pid);
  await ledger.until({ what: "start", asset: "split/killed_high", run: run.id }, 2);
  ledger.open("killed");
  expect((await headgate.ended(run.id)).state).toBe("succeeded");
  expect(await attempts(run.id)).toMatchObject([
    { asset: "split/killed_high", number: 1, together: true },
    { asset: "split/killed_low", number: 1, together: true },
    { asset: "split/killed_high", number: 2, state: "succeeded", together: true },
    { asset: "split/killed_low", number: 2, state: "succeeded", together: true },
  ]);
  expect(await headgate.versions("split/killed_high")).toHaveLength(1);
  expect(await headgate.versions("split/killed_low")).toHaveLength(1);
});

test("kill -9 of the control plane in the middle: what still runs is adopted as a whole and computed once", async () => {
  const run = await headgate.launch("split/adopted_high");
  await ledger.until({ what: "start", asset: "split/adopted_high", run: run.id });
  await headgate.killControlPlane();
  await headgate.startControlPlane();
  ledger.open("adopted");
  expect((await headgate.ended(run.id)).state).toBe("succeeded");
  expect(ledger.entries({ what: "start", run: run.id })).toHaveLength(1);
  expect(await attempts(run.id)).toEqual([
    { asset: "split/adopted_high", number: 1, state: "succeeded", together: true },
    { asset: "split/adopted_low", number: 1, state: "succeeded", together: true },
  ]);
});

test("kill -9 of the location while one call makes several partitions: each has one version", async () => {
  const planned = await headgate.cli("plan", "split/numbers or split/killed_sums", "--partitions", "2001-01..2001-04");
  expect(planned.stdout).toMatch(/split\/killed_sums 2001-01 {2}\(one call makes 4 partitions\)/);
  const shown = await headgate.cli("asset", "show", "split/killed_sums");
  expect(shown.stdout).toContain("one call computes up to 4 partitions");
  const run = await headgate.launch("split/numbers or split/killed_sums", { partitions: "2001-01..2001-04" });
  await ledger.until({ what: "start", asset: "split/killed_sums", run: run.id });
  const pid = await headgate.killLocation("split");
  await headgate.reviveLocation("split");
  await headgate.healthy("split", pid);
  ledger.open("killed_sums");
  expect((await headgate.ended(run.id)).state).toBe("succeeded");
  const made = (await attempts(run.id)).filter(
    ({ asset, state }) => asset === "split/killed_sums" && state === "succeeded",
  );
  expect(made.map(({ together }) => together)).toEqual([true, true, true, true]);
  for (const n of [1, 2, 3, 4]) expect(await headgate.versions("split/killed_sums", `2001-0${n}`)).toHaveLength(1);
});

test("kill -9 of the control plane while one call makes several partitions: it is heard to its end", async () => {
  const run = await headgate.launch("split/adopted_sums", { partitions: "2001-01..2001-03" });
  await ledger.until({ what: "start", asset: "split/adopted_sums", run: run.id });
  await headgate.killControlPlane();
  await headgate.startControlPlane();
  ledger.open("adopted_sums");
  expect((await headgate.ended(run.id)).state).toBe("succeeded");
  expect((await attempts(run.id)).map(({ number, state }) => [number, state])).toEqual(Array(3).fill([1, "succeeded"]));
});

test("kill -9 of the control plane in the middle of a backfill: it goes on, and makes each partition once", async () => {
  const before = (await headgate.versions("split/numbers", "2001-04")).length;
  const created = await headgate.cli(
    ...["backfill", "create", "split/numbers or split/model", "--partitions-per-run", "1", "--json"],
  );
  const { id } = JSON.parse(created.stdout) as { id: string };
  const made = () =>
    headgate.query<{ count: number }>(
      "select count(*)::integer as count from versions v join backfill_runs b using (run_id) where b.backfill_id = $1",
      [id],
    );
  await headgate.until("something of the backfill is made", async () => ((await made())[0]?.count ?? 0) > 0);
  await headgate.killControlPlane();
  await headgate.startControlPlane();
  const shown = await headgate.until("the backfill has ended", async () => {
    const backfill = await headgate.api.get("getBackfill", `/backfills/${id}`);
    return backfill.endedAt === null ? undefined : backfill;
  });
  expect(shown.counts).toEqual({ succeeded: 8 });
  expect(await made()).toEqual([{ count: 8 }]);
  expect(await headgate.versions("split/numbers", "2001-04")).toHaveLength(before + 1);
});

test("a cancel reaches the one call, and ends both steps", async () => {
  const run = await headgate.launch("split/canceled_high or split/canceled_low");
  await ledger.until({ what: "start", asset: "split/canceled_high", run: run.id });
  expect((await headgate.cli("run", "cancel", run.id)).status).toBe(0);
  expect((await headgate.ended(run.id)).state).toBe("canceled");
  expect(ledger.entries({ run: run.id }).map(({ what }) => what)).toEqual(["start", "aborted"]);
  expect((await attempts(run.id)).map(({ state }) => state)).toEqual(["canceled", "canceled"]);
  // Of what may be subset one alone is computed alone.
  ledger.open("canceled");
  expect((await headgate.cli("materialize", "split/canceled_low")).status).toBe(0);
  expect(await headgate.versions("split/canceled_high")).toEqual([]);
});
