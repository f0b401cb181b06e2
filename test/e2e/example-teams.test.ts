import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Deployment, deploymentKinds, type Version } from "../support/deployment.ts";
import type { DevDeployment } from "../support/dev-deployment.ts";
import { ExampleTeams } from "../support/example-teams.ts";
import { createDeployment } from "../support/start-deployment.ts";

/*
 * The main job: two teams, one gate, three million real flights. The tests of a deployment tell one story, in order.
 */

const months = ["2001-01", "2001-02", "2001-03", "2001-04", "2001-05", "2001-06"];
const july = "2001-07";
const expectedVersions = {
  "flights/raw_flights": 7,
  "flights/airports": 1,
  "flights/clean_flights": 6,
  "analytics/route_delays": 6,
  "analytics/airport_day_delays": 6,
  "analytics/half_year_summary": 1,
};
const fillWithinMs = 60_000;
/** "Within a second" on a quiet machine; this one is busy with other tests. */
const reloadWithinMs = 5_000;
const removal = "      where delay >= -120\n";
const cleanFlightsFile = "flights/assets/clean-flights.ts";

describe.each(deploymentKinds)("two teams on a %s deployment", (kind) => {
  const teams = new ExampleTeams();
  let headgate: Deployment;
  let undo: () => void = () => undefined;

  beforeAll(async () => {
    headgate = await createDeployment(kind, {
      teams: [
        "flights: { contacts: [flights@example.com], oncall_url: https://example.com/oncall/flights }",
        "analytics: { contacts: [analytics@example.com] }",
      ],
      locations: [
        { name: "flights", module: teams.module("flights"), watch: true },
        { name: "analytics", module: teams.module("analytics"), watch: true },
      ],
    });
  });

  afterAll(async () => {
    try {
      await headgate.stop();
    } finally {
      teams.remove();
    }
  });

  const counts = async () =>
    Object.fromEntries(
      await Promise.all(
        Object.keys(expectedVersions).map(async (key) => [key, (await headgate.versions(key)).length] as const),
      ),
    );
  const input = (version: Version, name: string) => {
    const found = version.inputs.find((given) => given.name === name);
    if (found === undefined) throw new Error(`${version.asset} read nothing as ${name}`);
    return found;
  };
  const attemptsOf = (run: string) => headgate.query("select id from attempts where run_id = $1", [run]);
  const metadata = (of: { metadata: { name: string; value: unknown }[] }, name: string) =>
    of.metadata.find((entry) => entry.name === name)?.value;

  test.runIf(kind === "dev")(
    "`dev --once` fills the graph within a minute, prints July as blocked in two teams and ends with 3, twice",
    async () => {
      const dev = headgate as DevDeployment;
      const startedAt = performance.now();
      const first = await dev.once();
      expect(performance.now() - startedAt).toBeLessThan(fillWithinMs);
      expect(first.status, first.stderr).toBe(3);
      expect(first.stdout).toContain("27 versions of 6 assets");
      const blocked = /\nBlocked:\n(( {2}.+\n)+)/
        .exec(first.stdout)?.[1]
        ?.trim()
        .split(/\s*\n\s*/);
      expect(blocked?.sort()).toEqual([
        `analytics/airport_day_delays ${july}`,
        `analytics/route_delays ${july}`,
        `flights/clean_flights ${july}`,
      ]);
      expect(first.stdout).toContain("check enough_rows failed");
      const again = await dev.once();
      expect(again.status, again.stderr).toBe(3);
      expect(again.stdout).toContain("0 versions of 0 assets");
    },
    150_000,
  );

  test("a first start fills the graph by itself within a minute, and July is blocked in two teams", async () => {
    const startedAt = performance.now();
    await headgate.start();
    await headgate.until("the summary has been computed", async () => {
      return (await headgate.versions("analytics/half_year_summary")).length > 0;
    });
    expect(performance.now() - startedAt).toBeLessThan(fillWithinMs);
    expect(await counts()).toEqual(expectedVersions);
    for (const key of ["flights/clean_flights", "analytics/route_delays", "analytics/airport_day_delays"]) {
      expect(await headgate.versions(key, july)).toEqual([]);
      const { status, reasons } = await headgate.why(key, july);
      expect({ status, kinds: reasons.map((reason) => [reason.kind, reason.asset, reason.check]) }).toEqual({
        status: "blocked",
        kinds: [["checkFailed", "flights/raw_flights", "enough_rows"]],
      });
    }
  });

  test("the summary was computed exactly once, from six months, and records that July was left out", async () => {
    const [summary, ...others] = await headgate.versions("analytics/half_year_summary");
    expect(others).toEqual([]);
    if (summary === undefined) throw new Error("there is no summary");
    for (const name of ["routes", "airportDays"]) {
      const { versions, leftOut } = input(summary, name);
      expect(versions.map((version) => version.partition)).toEqual(months);
      expect(leftOut).toEqual([july]);
    }
    expect(metadata(summary, "left_out")).toEqual([july]);
    expect(metadata(summary, "months")).toEqual(months);
    expect(metadata(summary, "flights")).toBe(2_999_991);
    const attempts = await headgate.query("select id from attempts where asset_key = 'analytics/half_year_summary'");
    expect(attempts).toHaveLength(1);
  });

  test("`why` names check, figures, version, run, owner, and the commands that would open it", async () => {
    const raw = await headgate.newest("flights/raw_flights", july);
    const { status, stdout } = await headgate.cli("why", "analytics/route_delays", "--partition", july);
    expect(status).toBe(0);
    for (const part of [
      "analytics/route_delays 2001-07 is blocked",
      "reads flights/clean_flights",
      "reads flights/raw_flights 2001-07",
      "check enough_rows failed",
      "6 observed",
      "310,000 needed",
      raw.id,
      raw.run,
      "flights@example.com",
      "npx headgate materialize flights/raw_flights --partition 2001-07",
      `npx headgate waive flights/raw_flights@${raw.id} --check enough_rows --reason`,
      `npx headgate run logs ${raw.run} --step flights/raw_flights --partition 2001-07`,
    ]) {
      expect(stdout).toContain(part);
    }
  });

  test("asking for route_delays of July alone from the CLI is blocked: exit 3, no attempt, a stored decision", async () => {
    const before = await headgate.api.list("listRuns", "/runs", {}, 1);
    const { status, stdout } = await headgate.cli("materialize", "analytics/route_delays", "--partitions", july);
    expect(status, stdout).toBe(3);
    expect(stdout).toContain("enough_rows");
    const [run] = await headgate.api.list("listRuns", "/runs", {}, 1);
    expect(run?.id).not.toBe(before[0]?.id);
    expect(run).toMatchObject({ state: "blocked", stepCount: 1 });
    expect(await attemptsOf(run?.id ?? "")).toEqual([]);
    const decisions = await headgate.query("select outcome, reasons from decisions where run_id = $1", [run?.id]);
    expect(decisions).toMatchObject([
      { outcome: "blocked", reasons: [{ kind: "checkFailed", asset: "flights/raw_flights", check: "enough_rows" }] },
    ]);
  });

  test("asking for route_delays of July alone from the API is blocked: no attempt, a stored decision", async () => {
    const launched = await headgate.launch("analytics/route_delays", { partitions: july });
    const run = await headgate.ended(launched.id);
    expect(run.state).toBe("blocked");
    expect(await attemptsOf(run.id)).toEqual([]);
    const { decision } = await headgate.why("analytics/route_delays", july);
    expect(decision).toMatchObject({ source: "run", run: run.id, step: 0 });
  });

  test("waived with a reason and an end, July flows by itself and every downstream version shows the waiver", async () => {
    const waived = await headgate.json<{ id: string; until: string; reason: string }>(
      ...["waive", "flights/raw_flights", "--partition", july, "--check", "enough_rows"],
      ...["--reason", "the file ends on the first of July", "--until", "2d"],
    );
    expect(Date.parse(waived.until)).toBeGreaterThan(Date.now());
    for (const key of ["flights/clean_flights", "analytics/route_delays", "analytics/airport_day_delays"]) {
      const version = await headgate.until(`${key} of July was made`, async () => {
        return (await headgate.versions(key, july))[0];
      });
      expect(version.inheritedWaivers, key).toEqual([waived.id]);
    }
    const clean = await headgate.newest("flights/clean_flights", july);
    expect(input(clean, "raw").versions).toMatchObject([{ partition: july, waivers: [waived.id] }]);
    const raw = await headgate.newest("flights/raw_flights", july);
    expect(raw).toMatchObject({ state: "waived", waivers: [{ id: waived.id, reason: waived.reason }] });
    const summary = await headgate.cli("materialize", "analytics/half_year_summary");
    expect(summary.status, summary.stdout).toBe(0);
    const newest = await headgate.newest("analytics/half_year_summary");
    expect(newest.inheritedWaivers).toEqual([waived.id]);
    expect(input(newest, "routes").leftOut).toEqual([]);
  });

  test("once the waiver is revoked the gate is closed again", async () => {
    const { items } = await headgate.json<{ items: { id: string }[] }>("waiver", "list");
    expect(items).toHaveLength(1);
    const revoked = await headgate.cli("waiver", "revoke", items[0]?.id ?? "");
    expect(revoked.status, revoked.stderr).toBe(0);
    const { status, stdout } = await headgate.cli("materialize", "flights/clean_flights", "--partitions", july);
    expect(status, stdout).toBe(3);
    expect(stdout).toContain("enough_rows");
    expect((await headgate.newest("flights/raw_flights", july)).state).toBe("failed");
  });

  test("a broken save shuts the gate with the offending rows, readers go on from the last validated version", async () => {
    const before = await headgate.location("flights");
    const february = "2001-02";
    const lastGood = await headgate.newest("analytics/route_delays", february);
    const savedAt = performance.now();
    undo = teams.replace(cleanFlightsFile, removal, "");
    await headgate.until("the code is reloaded", async () => {
      return (await headgate.location("flights")).buildId !== before.buildId;
    });
    expect(performance.now() - savedAt).toBeLessThan(reloadWithinMs);

    const broken = await headgate.cli("materialize", "flights/clean_flights", "--partitions", february);
    expect(broken.status, broken.stdout).toBe(3);
    const { status, reasons } = await headgate.why("flights/clean_flights", february);
    expect(status).toBe("failed");
    expect(reasons).toMatchObject([{ kind: "checkFailed", check: "no_departure_two_hours_early" }]);
    const table = metadata({ metadata: reasons[0]?.metadata ?? [] }, "rows") as {
      columns: string[];
      rows: unknown[][];
    };
    const [delay, origin, destination] = ["delay", "origin", "destination"].map((name) => table.columns.indexOf(name));
    expect(table.rows.map((row) => [row[delay ?? -1], row[origin ?? -1], row[destination ?? -1]])).toEqual([
      [-212, "LAS", "PHX"],
      [-953, "EWR", "MCO"],
      [-1116, "MIA", "STL"],
    ]);

    // A strict reader is blocked, and the summary goes on without it.
    const blocked = await headgate.cli("materialize", "analytics/route_delays", "--partitions", february);
    expect(blocked.status, blocked.stdout).toBe(3);
    const summary = await headgate.cli("materialize", "analytics/half_year_summary");
    expect(summary.status, summary.stdout).toBe(0);
    const read = input(await headgate.newest("analytics/half_year_summary"), "routes").versions;
    expect(read.find((version) => version.partition === february)?.id).toBe(lastGood.id);
  });

  test("undone, saved and materialized, it opens", async () => {
    const { buildId } = await headgate.location("flights");
    undo();
    await headgate.until("the code is reloaded", async () => {
      return (await headgate.location("flights")).buildId !== buildId;
    });
    const mended = await headgate.cli("materialize", "flights/clean_flights", "--partitions", "2001-02");
    expect(mended.status, mended.stdout).toBe(0);
    const clean = await headgate.newest("flights/clean_flights", "2001-02");
    expect(clean).toMatchObject({ state: "passed", open: true });
    // Its readers are eager: they follow by themselves, once.
    const read = await headgate.until("route_delays of February was made of it", async () => {
      const newest = await headgate.newest("analytics/route_delays", "2001-02");
      return input(newest, "flights").versions[0]?.id === clean.id ? newest : undefined;
    });
    const { madeBy } = await headgate.why("analytics/route_delays", "2001-02");
    expect(madeBy).toMatchObject({ id: read.run, source: "automation" });
    expect((await headgate.why("flights/clean_flights", "2001-02")).reasons).toEqual([]);
  });

  test("`headgate verify` finds nothing wrong with the whole story", async () => {
    await headgate.verify();
  });
});
