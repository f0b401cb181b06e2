import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Client, ClientDuplexStream } from "@grpc/grpc-js";
import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { protoPath as healthProtoPath } from "grpc-health-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Deployment, deploymentKinds, type Location } from "../support/deployment.ts";
import { startDeployment } from "../support/start-deployment.ts";
import { until } from "../support/until.ts";

/* "One bad definition never hides the good ones": three locations of two teams, with every mistake there is. */

const module = (name: string) => fileURLToPath(new URL(`locations/${name}`, import.meta.url));
const reflectionFolder = dirname(createRequire(import.meta.url).resolve("@grpc/reflection/package.json"));

describe.each(deploymentKinds)("definitions on a %s deployment", (kind) => {
  let headgate: Deployment;
  let locations: Record<string, Location>;

  beforeAll(async () => {
    headgate = await startDeployment(kind, {
      locations: [
        { name: "north", module: module("north") },
        { name: "north-annex", team: "north", module: module("north-annex") },
        { name: "south", module: module("south") },
      ],
    });
    const names = ["north", "north-annex", "south"];
    await Promise.all(names.map((name) => headgate.healthy(name)));
    locations = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await headgate.location(name)])));
  });

  afterAll(() => (headgate as Deployment | undefined)?.stop());

  const problem = (location: string, key: string) => {
    const found = locations[location]?.problems.filter((candidate) => candidate.key === key) ?? [];
    const [only] = found;
    if (only === undefined || found.length > 1) {
      throw new Error(`${found.length} problems of ${key}: ${JSON.stringify(locations[location]?.problems)}`);
    }
    return only;
  };

  test.each([
    ["a key that is defined twice", "north", "north/twice", /definitions\.ts:\d+ and definitions\.ts:\d+/, /Rename/],
    ["another team's prefix", "north", "south/stolen", /"south".*"north"/, /north|south/],
    ["one side of a cycle across locations", "north", "north/hen", /north\/hen → south\/egg/, /^Remove one of these/],
    ["the other side of that cycle", "south", "south/egg", /south\/egg → north\/hen/, /^Remove one of these/],
    ["an upstream that nobody defines", "north", "north/lonely", /no location defines south\/opera/, /workspace\.yaml/],
    [
      "one that is not exported",
      "north",
      "north/nosy",
      /reads south\/diary, which team south does not/,
      /export: true/,
    ],
    ["a cron of the wrong shape", "north", "north/misshapen", /61/, /minute hour day month weekday/],
    ["a module that throws", "north", "throws.ts", /throws\.ts:\d+: settings\.toml is missing/, /^Mend throws\.ts/],
    ["an entry that is no definition", "north", "definitions.ts#assets[10]", /assets\[10\].*42/, /./],
  ])("%s is refused on its own definition, with both sides and the remedy", (_what, location, key, message, hint) => {
    expect(problem(location, key)).toMatchObject({
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });

  test("of two locations that define one key the second to come is refused, and told of the first", () => {
    const both = ["north", "north-annex"];
    const refused = both.filter((name) => locations[name]?.problems.some(({ key }) => key === "north/shared"));
    expect(refused).toHaveLength(1);
    const [loser = ""] = refused;
    const owner = both.find((name) => name !== loser) ?? "";
    const { message, hint } = problem(loser, "north/shared");
    expect(message).toContain(`Location ${loser} defines north/shared, which is already defined by location ${owner},`);
    expect(hint).toContain(`Rename or remove it in ${loser}`);
  });

  test("nothing else is refused, and the good definitions of these locations load and run", async () => {
    const all = Object.values(locations).flatMap((location) => location.problems);
    expect(all).toHaveLength(10);
    const keys = (await headgate.api.list("listAssets", "/assets")).filter((asset) => asset.error === null);
    expect(keys.map((asset) => asset.key).sort()).toEqual([
      "north/annex",
      "north/fine",
      "north/shared",
      "south/diary",
      "south/open",
    ]);
    const { status, stdout } = await headgate.cli("materialize", "north/* or south/*");
    expect(status, stdout).toBe(0);
    await headgate.verify();
  });

  test("a key that two locations define goes to the other one by the command that the collision names", async () => {
    const names = ["north", "north-annex"];
    const loser = names.find((name) => locations[name]?.problems.some(({ key }) => key === "north/shared")) ?? "";
    const winner = names.find((name) => name !== loser) ?? "";
    const [command = ""] = /owner transfer .*$/.exec(problem(loser, "north/shared").hint) ?? [];
    expect(command).toBe(`owner transfer north/shared --to ${loser}`);
    const { status, stdout, stderr } = await headgate.cli(...command.split(" "));
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(`north/shared belongs to location ${loser}, and no longer to ${winner}. Remove it there.\n`);
    await until("the collision is reported on the other one", async () => {
      const { problems } = await headgate.location(winner);
      return problems.some(({ key }) => key === "north/shared");
    });
    expect((await headgate.location(loser)).problems.map(({ key }) => key)).not.toContain("north/shared");
    const run = await headgate.cli("materialize", "north/shared");
    expect(run.status, run.stdout).toBe(0);
    const made = await headgate.api.list("listVersions", "/assets/north%2Fshared/versions");
    expect(made.map((version) => version.location)).toEqual([loser, winner]);
    const refused = await headgate.cli("owner", "release", "north/shared");
    expect([refused.status, refused.stderr]).toEqual([
      2,
      expect.stringContaining(`npx headgate owner transfer north/shared --to ${winner}`),
    ]);
    await headgate.verify();
  });

  test("health check and reflection of a served location answer an ordinary gRPC client", async () => {
    const { address } = await headgate.location("south");
    const clients: Client[] = [];
    const open = (file: string, path: string) => {
      const client = new (serviceOf(file, path))(address ?? "", credentials.createInsecure());
      clients.push(client);
      return client;
    };
    try {
      const health = open(healthProtoPath, "grpc.health.v1.Health");
      const check = promisify<object, unknown>((given, callback) => health["check"]?.(given, callback));
      expect(await check({ service: "headgate.v1.CodeLocation" })).toEqual({ status: "SERVING" });
      const file = `${reflectionFolder}/build/proto/grpc/reflection/v1/reflection.proto`;
      const reflection = open(file, "grpc.reflection.v1.ServerReflection");
      const call = reflection["serverReflectionInfo"]?.() as ClientDuplexStream<object, unknown>;
      const answers: unknown[] = [];
      call.on("data", (answer) => answers.push(answer));
      call.write({ list_services: "" });
      call.end();
      await once(call, "end");
      expect(JSON.stringify(answers)).toContain("headgate.v1.CodeLocation");
    } finally {
      for (const client of clients) client.close();
    }
  });
});

type Service = new (
  address: string,
  given: ReturnType<typeof credentials.createInsecure>,
) => Client & Record<string, (...parameters: unknown[]) => unknown>;

/** With nothing but grpc-js and the .proto file, as grpcurl would. */
function serviceOf(file: string, path: string): Service {
  const loaded = loadPackageDefinition(loadSync(file, { keepCase: true, enums: String, oneofs: true }));
  return path.split(".").reduce<unknown>((scope, name) => (scope as Record<string, unknown>)[name], loaded) as Service;
}
