import { afterAll, beforeAll, expect, test } from "vitest";
import type { CodeLocationClient } from "@headgate/proto";
import { Outcome } from "@headgate/proto";
import { serve } from "@headgate/sdk/serve";
import type { ServedLocation } from "@headgate/sdk/serve";
import { client, command, DaemonSession } from "../sdk/support/daemon-session.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";

const folder = new LocationFolder({
  "definitions.ts": `
import { asset, assetCheck, definitions } from "@headgate/sdk";
import { json } from "./io.ts";

const nothing = asset({ key: "shop/nothing", compute: () => undefined });
const orders = asset({ key: "shop/orders", compute: () => [{ id: 1 }] });
const some = assetCheck({ asset: orders, name: "some", blocking: true, run: (orders) => ({ passed: orders.length > 0, metadata: { count: orders.length } }) });
export default definitions({ team: "shop", io: json, assets: [nothing, orders], checks: [some] });
`,
});
let location: ServedLocation;
let stub: CodeLocationClient;
let session: DaemonSession;

beforeAll(async () => {
  process.env["HEADGATE_TEST_VALUES"] = `${folder.path}/values`;
  location = await serve({ module: folder.path, port: 0, workers: 2, signals: false });
  stub = client(location.port);
  session = await DaemonSession.open(stub);
});
afterAll(async () => {
  await session?.drop();
  stub?.close();
  await location?.close({ deadlineMs: 0 });
  folder.remove();
});

test("a step that computes nothing succeeds", async () => {
  const finished = await session.run(command("shop/nothing"));
  expect(finished.error).toBeUndefined();
  expect(finished.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
});
test("a step with a check", async () => {
  const finished = await session.run(command("shop/orders", { checks: ["some"] }));
  console.log(JSON.stringify(finished.computed));
});
