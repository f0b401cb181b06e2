import { afterAll, beforeAll, expect, it } from "vitest";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { routes } from "../../control-plane/src/http/contract/routes.ts";
import { command } from "../cli/run-command.ts";
import { assetOf, checkOf, locationOf, retired } from "../support/graph-definitions.ts";
import { ApiFixture } from "./api-fixture.ts";

/* "one that vanishes … while consumed is `retired`: its versions serve existing edges, consumers get a warning". */

const graph = buildGraph(
  [
    locationOf("flights", [retired(assetOf("flights/airports"))]),
    locationOf(
      "analytics",
      [assetOf("analytics/report", ["flights/airports"])],
      [checkOf("flights/airports", "known")],
    ),
  ],
  new Map(),
);

let api: ApiFixture;
let url: string;
beforeAll(async () => {
  api = await ApiFixture.open({ graph: () => graph });
  url = await api.app.listen({ host: "127.0.0.1", port: 0 });
});
afterAll(() => api.close());

const cli = async (...args: string[]) => (await command(url, args)).out;

it("is said of the asset, and as a warning of everybody who reads or checks it, in the API and on the command line", async () => {
  const asset = (await api.get("/api/v1/assets/flights%2Fairports")).json;
  expect(asset).toMatchObject({ retired: true, readers: ["analytics/report"], warnings: [] });
  const reader = (await api.get("/api/v1/assets/analytics%2Freport")).json;
  expect(routes.getAsset.answer.parse(reader)).toEqual(reader);
  expect(reader).toMatchObject({ retired: false, error: null, warnings: [{ code: "definition.retired_upstream" }] });
  const location = (await api.get("/api/v1/locations/analytics")).json;
  expect(location.problems).toEqual([]);
  expect(location.warnings.map(({ key, code }: { key: string; code: string }) => `${key} ${code}`)).toEqual([
    "analytics/report definition.retired_upstream",
    "flights/airports@known definition.retired_asset",
  ]);
  expect((await api.get("/api/v1/locations/flights")).json).toMatchObject({ assets: 0, warnings: [] });

  expect(await cli("asset", "list")).toMatch(/^flights\/airports \(retired\) /m);
  expect(await cli("asset", "show", "flights/airports")).toContain("retired: flights no longer defines it.");
  const warning = "analytics/report reads flights/airports, which team flights no longer defines.";
  expect(await cli("asset", "show", "analytics/report")).toContain(warning);
  const shown = await cli("location", "show", "analytics");
  expect(shown).toContain("analytics/report: warning (assets/report.ts:7)");
  expect(shown).toContain("Stop reading flights/airports, or ask team flights to define it again.");
});

it("is not made any more", async () => {
  const { status, json } = await api.post("/api/v1/runs", { selection: "flights/airports" });
  expect(status).toBe(422);
  expect(json).toMatchObject({ code: "asset.retired", hint: expect.stringContaining("Define it in flights again") });
});
