import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSnapshot } from "../../control-plane/src/cli/commands/diff-against.ts";
import { snapshotGraph } from "../../control-plane/src/domain/definitions-snapshot.ts";

const source = { file: "definitions.ts", line: 1 };
const schedule = {
  kind: "schedule",
  name: "shop/nightly",
  description: "",
  crons: ["0 2 * * *"],
  timezone: "UTC",
  selection: "shop/*",
  partitioned: false,
  config: {},
  tags: {},
  priority: 0,
  catchUpMax: 1,
  startsOff: false,
  source,
};
const sensor = {
  kind: "sensor",
  name: "shop/landing",
  description: "",
  targets: [],
  minimumIntervalMs: 30_000,
  timeoutMs: 60_000,
  startsOff: false,
  source,
};

describe("the definitions that a diff compares with", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "headgate-diff-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("are read with their schedules and sensors, and make a graph that has them", async () => {
    const file = join(folder, "base.json");
    const definitions = [schedule, sensor].map((one) => ({
      kind: one.kind,
      key: one.name,
      hash: "h",
      definition: one,
    }));
    const locations = [{ name: "shop", team: "shop", definitions }];
    await writeFile(
      file,
      JSON.stringify({ format: "headgate.definitions", version: 1, locations, owners: [], keptEdges: [] }),
    );
    const snapshot = await readSnapshot(file, {});
    expect(snapshot.locations[0]?.definitions.map((entry) => entry.definition)).toEqual([schedule, sensor]);
    const graph = snapshotGraph(snapshot);
    expect([...graph.schedules.keys(), ...graph.sensors.keys()]).toEqual(["shop/nightly", "shop/landing"]);
  });
});
