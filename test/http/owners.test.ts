import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LocationSegment } from "../../control-plane/src/domain/asset-graph.ts";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { routes } from "../../control-plane/src/http/contract/routes.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { applyManifest, loadSegments, removeLocation } from "../../control-plane/src/storage/definitions.ts";
import { assetOf, locationOf } from "../support/graph-definitions.ts";
import { ApiFixture } from "./api-fixture.ts";

let api: ApiFixture;
beforeAll(async () => {
  api = await ApiFixture.open();
});
afterAll(() => api.close());

async function define({ location, team, assets }: LocationSegment): Promise<void> {
  const definitions = new Map(assets.map(({ definition }) => [hashOf(definition), { ok: true, definition }] as const));
  const entries = assets.map(({ definition }) => ({
    kind: "asset" as const,
    key: definition.key,
    hash: hashOf(definition),
  }));
  const input = { location, team, definitionsHash: hashOf([location, entries]), buildId: "b", entries, definitions };
  await withTransaction(api.database.pool, (tx) => applyManifest(tx, input));
}

const hashOf = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex");

async function graph() {
  const { segments, owners, options } = await loadSegments(api.database.pool);
  return buildGraph(segments, owners, options);
}

async function epochs(...keys: string[]) {
  const { rows } = await api.database.pool.query("select epoch from asset_gate where asset_key = any ($1) order by 1", [
    keys,
  ]);
  return rows.reduce((sum: number, { epoch }) => sum + Number(epoch), 0);
}

const transfer = "/api/v1/assets/t%2Fx/owner/transfer";
const release = "/api/v1/assets/t%2Fx/owner/release";

it("a collision stays reported on the second location until the asset is transferred there, once, audited and told", async () => {
  await define(locationOf("t", [assetOf("t/x", [], { group: "north" })], [], { location: "t-north" }));
  await define(locationOf("t", [assetOf("t/x", [], { group: "south" })], [], { location: "t-south" }));
  const before = await graph();
  expect(before.asset("t/x")?.location).toBe("t-north");
  const collision = before.errors.find((error) => error.location === "t-south");
  expect(collision?.hint).toContain("npx headgate owner transfer t/x --to t-south");
  const epoch = await epochs("", "t/x");

  const refused = await api.post(transfer, { location: "analytics" });
  expect(refused).toMatchObject({ status: 409, json: { code: "owner.another_team" } });
  expect(await epochs("", "t/x")).toBe(epoch);

  const answers = [];
  for (let time = 0; time < 2; time++) {
    answers.push(await api.post(transfer, { location: "t-south" }, { "idempotency-key": "once" }));
  }
  expect(answers.map(({ status, json }) => [status, json])).toEqual(
    [1, 2].map(() => [200, { asset: "t/x", team: "t", location: "t-south", previous: "t-north" }]),
  );
  expect(routes.transferAsset.answer.parse(answers[0]?.json)).toEqual(answers[0]?.json);
  const after = await graph();
  expect(after.asset("t/x")).toMatchObject({ location: "t-south", definition: { group: "south" } });
  expect(after.errors.map(({ location, code }) => `${location} ${code}`)).toEqual([
    "t-north definition.owned_by_another_location",
  ]);
  // The definitions as a whole, and the gate of an asset that is defined otherwise than before.
  expect(await epochs("", "t/x")).toBe(epoch + 2);
  const audit = (await api.get("/api/v1/audit?action=owner.transfer")).json.items;
  expect(audit).toMatchObject([{ actor: "ada", subject: "t/x", details: { from: "t-north", to: "t-south" } }]);
  const { rows } = await api.database.pool.query("select payload from events where kind = 'owner_transferred'");
  expect(rows).toEqual([{ payload: { asset: "t/x", from: "t-north", to: "t-south", actor: "ada" } }]);
});

it("a release is refused while the asset is defined, and gives the key of an absent location to the next one", async () => {
  const early = await api.post(release);
  expect(early).toMatchObject({ status: 409, json: { code: "owner.not_absent" } });
  expect(early.json.hint).toContain("npx headgate owner transfer t/x --to t-north");
  for (const location of ["t-north", "t-south"]) {
    await withTransaction(api.database.pool, (tx) => removeLocation(tx, location, "t"));
  }
  // Absence frees nothing.
  await define(locationOf("t", [assetOf("t/x")], [], { location: "t-third" }));
  expect((await graph()).errors).toMatchObject([{ location: "t-third", code: "definition.owned_by_another_location" }]);
  const released = await api.post(release);
  expect(routes.releaseAsset.answer.parse(released.json)).toEqual({
    asset: "t/x",
    team: "t",
    location: "t-third",
    previous: "t-south",
  });
  expect((await graph()).asset("t/x")?.location).toBe("t-third");

  await define(locationOf("t", [], [], { location: "t-third" }));
  expect((await api.post(release)).json).toMatchObject({ location: null, previous: "t-third" });
  await define(locationOf("t", [assetOf("t/x")], [], { location: "t-fourth" }));
  expect((await graph()).asset("t/x")?.location).toBe("t-fourth");
  expect((await api.get("/api/v1/audit?action=owner.release")).json.items).toHaveLength(2);
});

it("answers of what nobody ever defined, and of a location that does not exist, as unknown", async () => {
  expect(await api.post("/api/v1/assets/t%2Fnone/owner/release")).toMatchObject({
    status: 404,
    json: { code: "asset.unknown" },
  });
  expect(await api.post(transfer, { location: "nowhere" })).toMatchObject({
    status: 404,
    json: { code: "location.unknown" },
  });
});
