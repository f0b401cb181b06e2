import { createRequire } from "node:module";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { ChannelCredentials, Client, ClientDuplexStream } from "@grpc/grpc-js";
import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { protoPath as healthProtoPath } from "grpc-health-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkHealth, serve } from "@headgate/sdk/serve";
import type { ServedLocation } from "@headgate/sdk/serve";
import { LocationFolder } from "../sdk/support/location-folder.ts";
import { freePort } from "../support/free-port.ts";

// What grpcurl and its like do, done with nothing but grpc-js and .proto files: none of this repository's generated code.

const require = createRequire(import.meta.url);
const protoFolder = dirname(require.resolve("@headgate/proto/package.json"));
const reflectionFolder = dirname(require.resolve("@grpc/reflection/package.json"));

interface Frame {
  readonly batch?: { readonly events: readonly { readonly attempt_id: string; readonly finished?: object }[] };
}

type Service = new (
  address: string,
  credentials: ChannelCredentials,
) => Client & Record<string, (...parameters: unknown[]) => unknown>;

function serviceOf(file: string, path: string, includeDirs: string[] = []): Service {
  const loaded = loadPackageDefinition(
    loadSync(file, { keepCase: true, enums: String, longs: Number, oneofs: true, includeDirs }),
  );
  return path.split(".").reduce<unknown>((scope, name) => (scope as Record<string, unknown>)[name], loaded) as Service;
}

const folder = new LocationFolder({
  "definitions.ts": `
import { asset, definitions } from "@headgate/sdk";
export default definitions({ team: "shop", assets: [asset({ key: "shop/blocked", compute: () => { for (;;) {} } }), asset({ key: "shop/quick", compute: () => undefined })] });
`,
});
let location: ServedLocation;
const clients: Client[] = [];

function open(service: Service): InstanceType<Service> {
  const client = new service(`127.0.0.1:${location.port}`, credentials.createInsecure());
  clients.push(client);
  return client;
}

function unary(client: InstanceType<Service>, method: string, request: object): Promise<Record<string, unknown>> {
  return promisify<object, Record<string, unknown>>((given, callback) => client[method]?.(given, callback))(request);
}

beforeAll(async () => {
  location = await serve({ module: folder.path, port: 0, workers: 2, signals: false });
});

afterAll(async () => {
  for (const client of clients) client.close();
  await location.close({ deadlineMs: 0 });
  folder.remove();
});

test.each(["", "headgate.v1.CodeLocation"])('the health check answers for "%s"', async (service) => {
  const health = open(serviceOf(healthProtoPath, "grpc.health.v1.Health"));
  expect(await unary(health, "check", { service })).toEqual({ status: "SERVING" });
});

test("checkHealth says whether a location serves, and that nobody is there", async () => {
  expect(await checkHealth({ port: location.port })).toBe("SERVING");
  expect(await checkHealth({ port: await freePort() })).toBe("UNREACHABLE");
});

test.each(["v1", "v1alpha"])("reflection %s lists the services and describes their messages", async (version) => {
  const file = `${reflectionFolder}/build/proto/grpc/reflection/${version}/reflection.proto`;
  const reflection = open(serviceOf(file, `grpc.reflection.${version}.ServerReflection`));
  const call = reflection["serverReflectionInfo"]?.() as ClientDuplexStream<object, Record<string, never>>;
  const answers: Record<string, never>[] = [];
  call.on("data", (answer: Record<string, never>) => answers.push(answer));
  const ended = new Promise((resolve) => call.on("end", resolve));
  call.write({ list_services: "" });
  call.write({ file_containing_symbol: "headgate.v1.CodeLocation" });
  call.write({ file_containing_symbol: "headgate.v1.StepCommand" });
  call.end();
  await ended;
  const services = (answers[0]?.["list_services_response"] as { service: { name: string }[] } | undefined)?.service;
  expect(services?.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["headgate.v1.CodeLocation", "grpc.health.v1.Health"]),
  );
  for (const answer of answers.slice(1)) {
    const files = (answer["file_descriptor_response"] as { file_descriptor_proto: Buffer[] } | undefined)
      ?.file_descriptor_proto;
    expect(Buffer.concat(files ?? []).toString("latin1")).toContain("StepCommand");
  }
});

test("a client of the .proto files alone runs a step, and health is answered while another blocks its worker", async () => {
  const codeLocation = open(serviceOf("headgate/v1/code_location.proto", "headgate.v1.CodeLocation", [protoFolder]));
  const handshake = await unary(codeLocation, "handshake", { protocol_min: 1, protocol_max: 1, daemon_id: "bare" });
  expect(handshake).toMatchObject({ protocol: 1, team: "shop", instance_id: location.instanceId });
  const manifest = await unary(codeLocation, "getManifest", {});
  expect(manifest["entries"]).toMatchObject([{ kind: "KIND_ASSET", key: "shop/blocked" }, { key: "shop/quick" }]);
  const call = codeLocation["session"]?.() as ClientDuplexStream<object, Frame>;
  call.on("error", () => {});
  const step = (attempt_id: string, asset_key: string) => {
    return {
      attempt_id,
      run_id: "run",
      epoch: 1,
      attempt_number: 1,
      asset_key,
      lease_ms: 60_000,
      materialize: { version_id: attempt_id },
    };
  };
  const finished = new Promise<object | undefined>((resolve) => {
    call.on("data", ({ batch }: Frame) => {
      const event = batch?.events.find((candidate) => candidate.attempt_id === "quick" && candidate.finished);
      if (event) resolve(event.finished);
    });
  });
  call.write({ hello: { daemon_id: "bare", nonce: 1 } });
  call.write({ batch: { commands: [step("blocked", "shop/blocked"), step("quick", "shop/quick")] } });
  expect(await finished).toMatchObject({ outcome: "OUTCOME_SUCCEEDED" });
  const health = open(serviceOf(healthProtoPath, "grpc.health.v1.Health"));
  const askedAt = performance.now();
  expect(await unary(health, "check", { service: "" })).toEqual({ status: "SERVING" });
  expect(performance.now() - askedAt).toBeLessThan(5_000);
  call.cancel();
});
