import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { credentials, status } from "@grpc/grpc-js";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CodeLocationClient } from "@headgate/proto";
import type { HandshakeResponse } from "@headgate/proto";
import { checkHealth, serve } from "@headgate/sdk/serve";
import type { ServedLocation } from "@headgate/sdk/serve";
import { tlsFiles } from "../../shared/sdk/src/server/tls-files.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";
import { Certificates, hasOpenssl } from "../support/certificates.ts";

describe.skipIf(!hasOpenssl)("a location with TLS files", () => {
  let folder: LocationFolder;
  let location: ServedLocation;

  const certificates = new Certificates();
  const path = (name: string) => certificates.path(name);
  const file = (name: string) => readFileSync(path(name));

  function handshake(channel: ChannelCredentials): Promise<HandshakeResponse> {
    const stub = new CodeLocationClient(`127.0.0.1:${location.port}`, channel);
    return promisify<HandshakeResponse>((callback) =>
      stub.handshake({ protocolMin: 1, protocolMax: 1, daemonId: "d" }, (error, answer) => callback(error, answer)),
    )().finally(() => stub.close());
  }

  beforeAll(async () => {
    folder = new LocationFolder({
      "definitions.ts": `
import { asset, definitions } from "@headgate/sdk";
export default definitions({ team: "shop", assets: [asset({ key: "shop/a", compute: () => undefined })] });
`,
    });
    certificates.authority("ca");
    certificates.issue("server", "ca");
    certificates.issue("daemon", "ca");
    const tls = { cert: path("server.pem"), key: path("server.key"), ca: path("ca.pem") };
    location = await serve({ module: folder.path, port: 0, workers: 1, signals: false, tls });
  });

  afterAll(async () => {
    await location?.close({ deadlineMs: 0 });
    folder.remove();
    certificates.remove();
  });

  test("answers a daemon with a certificate of the authority", async () => {
    const channel = credentials.createSsl(file("ca.pem"), file("daemon.key"), file("daemon.pem"));
    expect((await handshake(channel)).team).toBe("shop");
  });

  test("tells its own health check, which shows its own certificate", async () => {
    const tls = { cert: path("server.pem"), key: path("server.key") };
    expect(await checkHealth({ port: location.port, tls })).toBe("SERVING");
    expect(await checkHealth({ port: location.port, deadlineMs: 500 })).toBe("UNREACHABLE");
  });

  test("answers neither a caller without one, nor one without TLS", async () => {
    await expect(handshake(credentials.createSsl(file("ca.pem")))).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await expect(handshake(credentials.createInsecure())).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  test("is not served without TLS because a file or a variable is missing", async () => {
    writeFileSync(path("junk.pem"), "no certificate");
    for (const tls of [
      { cert: path("nowhere.pem"), key: path("server.key") },
      { cert: path("junk.pem"), key: path("server.key") },
      { cert: path("server.pem"), key: path("daemon.key") },
    ]) {
      const serving = serve({ module: folder.path, port: 0, workers: 1, signals: false, tls });
      await expect(serving).rejects.toMatchObject({ code: "location.tls_unreadable" });
    }
    const env = { HEADGATE_LOCATION_TLS_CERT: "a.pem", HEADGATE_LOCATION_TLS_CA: "ca.pem" };
    expect(() => tlsFiles(undefined, env)).toThrow("HEADGATE_LOCATION_TLS_KEY is not set");
    expect(tlsFiles(undefined, { ...env, HEADGATE_LOCATION_TLS_KEY: "a.key" })).toEqual({
      cert: "a.pem",
      key: "a.key",
      ca: "ca.pem",
    });
    expect(tlsFiles(undefined, {})).toBeUndefined();
  });
});
