import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { command } from "../cli/run-command.ts";
import { ApiFixture } from "./api-fixture.ts";

let api: ApiFixture;
beforeAll(async () => {
  api = await ApiFixture.open();
  await api.run("flights/raw_flights", "2001-01..2001-02,2001-07");
});
afterAll(() => api.close());

const create = (body: object, headers = {}) => api.post("/api/v1/backfills", body, headers);

describe("backfills by API and command line", () => {
  it("are written with their audit row and event, once for a key, and told of as ranges", async () => {
    const key = { "idempotency-key": "first" };
    const asked = { selection: "flights/*", partitions: "2001-01..2001-03", partitionsPerRun: 2 };
    const { status, json } = await create(asked, key);
    expect([status, json.state, json.actor, json.runs]).toEqual([201, "running", "ada", { all: 0, open: 0 }]);
    // Airports have no partitions, and weather is external: it is reported, not made.
    expect(json.parts).toEqual([
      { asset: "flights/raw_flights", ranges: [{ status: "waiting", partitions: "2001-01..2001-03", count: 3 }] },
      { asset: "flights/airports", ranges: [{ status: "waiting", partitions: "", count: 1 }] },
      { asset: "flights/clean_flights", ranges: [{ status: "waiting", partitions: "2001-01..2001-03", count: 3 }] },
    ]);
    expect((await create(asked, key)).json).toEqual(json);
    const { rows } = await api.database.pool.query(
      `select (select count(*) from backfills) as backfills,
         (select count(*) from audit where action = 'backfill.create' and actor = 'ada' and subject = $1) as audit,
         (select count(*) from events where kind = 'backfill_created' and payload ->> 'backfill' = $1) as events`,
      [json.id],
    );
    expect(rows).toEqual([{ backfills: 1, audit: 1, events: 1 }]);
  });

  it("take only what has a status now", async () => {
    const only = async (status: string) => {
      const { json } = await create({ selection: "flights/raw_flights or flights/clean_flights", only: status });
      return (
        json.parts?.map(({ asset, ranges }: { asset: string; ranges: { partitions: string }[] }) => [
          asset,
          ranges.map(({ partitions }) => partitions).join(),
        ]) ?? json.code
      );
    };
    expect(await only("failed")).toEqual([["flights/raw_flights", "2001-07"]]);
    expect(await only("missing")).toEqual([
      ["flights/raw_flights", "2001-03..2001-06"],
      ["flights/clean_flights", "2001-01..2001-07"],
    ]);
    expect(await only("blocked")).toBe("backfill.nothing_to_do");
  });

  it("are refused in words where nothing can be made, or where nobody asked for one", async () => {
    const codes = async (body: object) => (await create(body)).json.code as string;
    expect(await codes({ selection: "flights/raw" })).toBe("asset.unknown");
    expect(await codes({ selection: "flights/weather" })).toBe("asset.external");
    expect(await codes({ selection: "flights/raw_flights", partitions: "2009-01" })).toBe("partitions.invalid");
    expect(await codes({ selection: "flights/airports", partitionsPerRun: 0 })).toBe("request.invalid");
    const nobody = "0199a7c4-5d1e-7b3a-9c55-0a4f5be1c2d3";
    for (const verb of ["cancel", "pause", "resume", "retry"]) {
      const { status, json } = await api.post(`/api/v1/backfills/${nobody}/${verb}`);
      expect([status, json.code]).toEqual([404, "backfill.unknown"]);
    }
    expect((await api.get(`/api/v1/backfills/${nobody}`)).status).toBe(404);
  });

  it("are created, shown, paused and resumed by command", async () => {
    const url = await api.app.listen({ host: "127.0.0.1", port: 0 });
    const cli = (...args: string[]) => command(url, ["backfill", ...args]);
    const created = await cli("create", "analytics/route_delays", "--partitions", "2001-01..2001-02", "--tag", "a=b");
    expect(created.out).toMatch(/^Backfill [0-9a-f-]{36} makes 2 partitions of 1 assets?\.\n/);
    const id = /Backfill (\S+)/.exec(created.out)?.[1] ?? "";
    expect((await cli("pause", id)).out).toBe(`Backfill ${id} is paused: 0 of 2 made.\n`);
    const again = await cli("pause", id);
    expect([again.status, again.err]).toEqual([2, expect.stringContaining("is paused: there is nothing to pause")]);
    const shown = (await cli("show", id)).out;
    expect(shown).toContain(`Backfill ${id} paused after `);
    expect(shown).toContain("analytics/route_delays\n  waiting   2001-01..2001-02  (2)\n");
    expect((await cli("resume", id)).status).toBe(0);
    const listed = (await cli("list", "--state", "running")).out;
    expect(listed).toMatch(new RegExp(`${id} +running +.* 0 of 2 +analytics/route_delays 2001-01..2001-02`));
    expect((await cli("create", "flights/*", "--only", "stale")).status).toBe(2);
  });
});
