import { Definition } from "@headgate/proto";
import {
  allPartitions,
  asset,
  assetSpec,
  dynamicPartitions,
  mappedDimensions,
  monthlyPartitions,
  multiPartitions,
  self,
  staticPartitions,
  valueOf,
  windowOffset,
} from "@headgate/sdk";
import { materialize, testContext } from "@headgate/sdk/testing";
import { describe, expect, test } from "vitest";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import type { AssetDefinition } from "../../control-plane/src/domain/definitions.ts";
import { plan } from "../../control-plane/src/domain/plan.ts";
import { decodeDefinition } from "../../control-plane/src/grpc/decode-definition.ts";
import type { AnyAsset } from "../../shared/sdk/src/asset.ts";
import { describeAsset } from "../../shared/sdk/src/describe/describe-asset.ts";
import { inputIsSingle } from "../../shared/sdk/src/input-shape.ts";
import { viewOf } from "../support/gate-versions.ts";
import { locationOf } from "../support/graph-definitions.ts";

const month = monthlyPartitions({ start: "2001-01", end: "2001-04" });
const region = staticPartitions(["eu", "us"]);
const regionMonth = multiPartitions({ region, month });
const value = valueOf<number>();
const raw = asset({ key: "shop/raw", partitions: month, compute: () => 1 });
const sales = asset({
  key: "shop/sales",
  value,
  partitions: regionMonth,
  deps: {
    raw,
    previous: windowOffset(self, -1),
    rest: mappedDimensions(self, { region: "all", month: { offset: -1 } }),
  },
  compute: ({ raw, previous, rest }) => raw + (previous ?? 0) + rest.size,
});
const total = asset({
  key: "shop/total",
  partitions: month,
  deps: {
    sales,
    eu: mappedDimensions(sales, { region: { from: "", keys: { "2001-01": ["eu"] } } }),
    all: allPartitions(sales),
  },
  compute: () => 1,
});
const byTier = asset({
  key: "shop/by_tier",
  partitions: multiPartitions({ tier: staticPartitions(["free", "paid"]), region, month }),
  deps: { sales, raw, before: windowOffset(sales, -1), newest: mappedDimensions(sales, { month: "last" }) },
  compute: () => 1,
});

/** What the control plane makes of what the SDK says. */
function defined(definition: AnyAsset): AssetDefinition {
  const described = describeAsset(definition, "shop", "1");
  const bytes = Definition.encode({ definition: { $case: "asset", value: described } }).finish();
  const received = decodeDefinition(bytes);
  if (!received.ok || received.definition.kind !== "asset") throw new Error(JSON.stringify(received));
  return received.definition;
}

describe("partitions of several dimensions", () => {
  test("reach the control plane as they are written, through the wire and through storage as JSON", () => {
    expect(defined(sales).partitions).toEqual({
      kind: "multi",
      dimensions: [
        { name: "region", definition: { kind: "static", keys: ["eu", "us"] } },
        {
          name: "month",
          definition: { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2001-04" },
        },
      ],
    });
    const offset = { kind: "window", startOffset: -1, endOffset: -1 };
    expect(defined(sales).dependencies.map(({ mapping }) => mapping)).toEqual([
      undefined,
      offset,
      {
        kind: "dimensions",
        dimensions: [
          { upstream: "region", mapping: { kind: "all" } },
          { upstream: "month", mapping: offset },
        ],
      },
    ]);
  });

  test("are planned upstream first, the window before it first, and each input has the shape that the types say", () => {
    const known: AnyAsset[] = [raw, sales, byTier];
    const graph = buildGraph([locationOf("shop", known.map(defined))], new Map());
    expect(graph.errors).toEqual([]);
    for (const definition of known) {
      const edges = graph.asset(definition.key)?.upstream ?? [];
      const shapes = edges.map(({ dependency, single }) => [dependency.name, single]);
      const promised = Object.entries(definition.deps).map(([name, dep]) => [
        name,
        inputIsSingle(dep, definition.partitions),
      ]);
      expect(shapes).toEqual(promised);
    }
    const request = { selection: "shop/sales", partitions: "month=2001-01..2001-02,region=us,eu" };
    const planned = plan(graph, request, viewOf({}), Date.UTC(2002, 0));
    if (!planned.ok) throw new Error(planned.message);
    expect(planned.plan.steps.map(({ partition, after }) => `${partition} after ${after.join()}`)).toEqual([
      "region=eu,month=2001-01 after ",
      "region=us,month=2001-01 after ",
      "region=eu,month=2001-02 after 0,0,1",
      "region=us,month=2001-02 after 1,0,1",
    ]);
  });

  test("of a dynamic set are described by its name, and a test gives the keys", async () => {
    const customers = dynamicPartitions({ name: "customers" });
    const accounts = asset({
      key: "shop/accounts",
      partitions: customers,
      compute: (_, { partition }) => partition.key,
    });
    const partitions = multiPartitions({ customer: customers, region });
    const bills = asset({
      key: "shop/bills",
      partitions,
      deps: { accounts },
      compute: ({ accounts }, { partition }) => `${accounts} in ${partition.dimensions.region}`,
    });
    expect(defined(accounts).partitions).toEqual({ kind: "dynamic", name: "customers" });
    const graph = buildGraph([locationOf("shop", [accounts, bills].map(defined))], new Map(), {
      dynamicSets: (team, name) => (team === "shop" && name === "customers" ? ["acme"] : []),
    });
    expect(graph.errors).toEqual([]);
    expect(graph.asset("shop/bills")?.space.keyAt(1)).toBe("customer=acme,region=us");
    expect(graph.asset("shop/bills")?.upstream[0]?.single).toBe(true);
    expect(testContext(bills, { partition: "customer=any,region=us" }).partition.dimensions.customer).toBe("any");
    expect(() => testContext(bills, { partition: "customer=any,region=mars" })).toThrow("has no partition");
    const result = await materialize([accounts, bills], { dynamicPartitions: { customers: ["acme", "globex"] } });
    expect(result.value(bills, "customer=globex,region=eu")).toBe("globex in eu");
    const nameless = asset({ key: "shop/x", partitions: dynamicPartitions({} as never), compute: () => 1 });
    expect(() => describeAsset(nameless, "shop", "1")).toThrow("is no name of dynamic partitions");
  });

  test("that cannot be are refused where they are described", () => {
    const described = (definition: unknown) => () => describeAsset(definition as AnyAsset, "shop", "1");
    const year = multiPartitions({ month, other: month });
    expect(described(asset({ key: "shop/x", partitions: year, compute: () => 1 }))).toThrow(
      "month and other both grow",
    );
    const odd = mappedDimensions(sales, { region: undefined as never });
    const reader = asset({ key: "shop/x", partitions: month, deps: { odd: odd as never }, compute: () => 1 });
    expect(described(reader)).toThrow("what mappedDimensions says of region is no choice");
    expect(described(total)).toThrow("two dimensions of the upstream follow the window");
    const unknown = mappedDimensions(assetSpec({ key: "shop/y", partitions: regionMonth }), { area: "all" } as never);
    expect(described(asset({ key: "shop/x", deps: { unknown }, compute: () => 1 }))).toThrow('no dimension "area"');
  });

  test("reach compute by name", () => {
    const { partition } = testContext(sales, { partition: "region=us,month=2001-02" });
    expect(partition.dimensions).toEqual({ region: "us", month: "2001-02" });
    expect(partition.window.start).toEqual(new Date("2001-02-01"));
  });
});
