import { z } from "zod";
import { route } from "./route.ts";
import * as shape from "./shapes.ts";

const api = "/api/v1";
const oneSet = z.object({
  team: shape.name.describe("the team that owns the set"),
  name: shape.name.describe("of the set, as dynamicPartitions({ name }) gives it"),
});

const keysPerRequestMax = 1_000;
const keys = z.array(shape.text(255)).min(1).max(keysPerRequestMax);

const partitionSet = z
  .object({
    team: z.string(),
    name: z.string(),
    assets: z.array(z.string()).describe("that are cut by it"),
    count: z.int().describe("of its keys"),
  })
  .meta({ id: "PartitionSet" });

const change = {
  team: z.string(),
  name: z.string(),
  count: z.int().describe("of the keys of the set now"),
};

/** Dynamic partitions: sets of keys that come and go. */
export const partitionRoutes = {
  listPartitionSets: route({
    method: "GET",
    path: `${api}/partitions`,
    tag: "partitions",
    summary: "The dynamic sets that assets are cut by",
    status: 200,
    answer: z.object({ items: z.array(partitionSet) }).meta({ id: "PartitionSets" }),
  }),
  listPartitions: route({
    method: "GET",
    path: `${api}/partitions/{team}/{name}`,
    tag: "partitions",
    summary: "The keys of a dynamic set, in the order in which they were added",
    params: oneSet,
    query: z.object(shape.pageQuery),
    status: 200,
    answer: shape.page(
      z.object({ key: z.string(), addedBy: z.string(), addedAt: shape.time }).meta({ id: "DynamicPartition" }),
    ),
  }),
  addPartitions: route({
    method: "POST",
    path: `${api}/partitions/{team}/{name}`,
    tag: "partitions",
    summary: "Adds keys to a dynamic set; one that is there stays",
    params: oneSet,
    body: z.strictObject({ keys }),
    status: 200,
    answer: z.object({ ...change, added: z.array(z.string()) }).meta({ id: "PartitionsAdded" }),
  }),
  removePartitions: route({
    method: "POST",
    path: `${api}/partitions/{team}/{name}/remove`,
    tag: "partitions",
    summary: "Removes keys from a dynamic set; versions that were made of them stay",
    params: oneSet,
    body: z.strictObject({ keys }),
    status: 200,
    answer: z.object({ ...change, removed: z.array(z.string()) }).meta({ id: "PartitionsRemoved" }),
  }),
};
