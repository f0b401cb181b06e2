import { expect, test } from "vitest";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { assetOf, lastGood, locationOf, retired, scheduleOf, sensorOf } from "../support/graph-definitions.ts";

const stored = (definition: ReturnType<typeof sensorOf>) => ({ definition, hash: "h", firstSeenMs: 0 });
const error = { code: "definition.invalid", message: "it does not load", hint: "mend it" };

test("a sensor joins the graph with the assets that it may ask for, and with its last good form when the newest is bad", () => {
  const sensors = [
    stored(sensorOf("shop/b", ["shop/orders", "shop/totals"])),
    lastGood(sensorOf("shop/a", ["shop/orders"]), error),
    retired(sensorOf("shop/gone", ["shop/orders"])),
  ];
  const graph = buildGraph(
    [locationOf("shop", [assetOf("shop/orders"), assetOf("shop/totals", ["shop/orders"])], [], { sensors })],
    new Map(),
  );
  expect([...graph.sensors.keys()]).toEqual(["shop/a", "shop/b"]);
  const sensor = graph.sensors.get("shop/b");
  expect(sensor?.targets.map(({ key }) => key)).toEqual(["shop/orders", "shop/totals"]);
  expect(graph.sensors.get("shop/a")?.error).toEqual(error);
  expect(graph.errors).toMatchObject([{ kind: "sensor", key: "shop/a", code: "definition.invalid" }]);
});

test("a sensor is refused by itself for what it may not ask for, and hides no other", () => {
  const external = { external: { unversioned: false, hasValue: false } };
  const shop = locationOf("shop", [assetOf("shop/orders"), assetOf("shop/feed", [], external)], [], {
    sensors: [
      stored(sensorOf("shop/good", ["shop/orders"])),
      stored(sensorOf("shop/typo", ["shop/ordres"])),
      stored(sensorOf("shop/feeds", ["shop/feed"])),
      stored(sensorOf("shop/foreign", ["bank/rates"])),
      stored(sensorOf("bank/sensor", ["shop/orders"])),
      stored(sensorOf("shop/nightly", ["shop/orders"])),
    ],
    schedules: [scheduleOf("shop/nightly", "0 2 * * *")],
  });
  const annex = locationOf("shop", [], [], {
    location: "shop-annex",
    sensors: [stored(sensorOf("shop/good", ["shop/orders"]))],
  });
  const graph = buildGraph([annex, shop, locationOf("bank", [assetOf("bank/rates")])], new Map());
  expect([...graph.sensors.values()].map(({ name, location }) => [name, location])).toEqual([["shop/good", "shop"]]);
  expect(Object.fromEntries(graph.errors.map(({ location, key, code }) => [`${location} ${key}`, code]))).toEqual({
    "shop bank/sensor": "definition.another_teams_prefix",
    "shop shop/feeds": "definition.target_not_computed",
    "shop shop/foreign": "definition.target_of_another_team",
    "shop shop/nightly": "definition.duplicate_sensor",
    "shop shop/typo": "definition.missing_target",
    "shop-annex shop/good": "definition.duplicate_sensor",
  });
  expect(graph.errors.find(({ key }) => key === "shop/typo")?.hint).toContain("Did you mean shop/orders?");
});
