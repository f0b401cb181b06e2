import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { credentials, status } from "@grpc/grpc-js";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CodeLocationClient } from "@headgate/proto";
import type { HandshakeResponse } from "@headgate/proto";
import { checkHealth, serve } from "@headgate/sdk/serve";
import type { ServedLocation } from "@headgate/sdk/serve";
import { LocationFolder } from "../sdk/support/location-folder.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(!hasOpenssl)("a location with TLS files", () => {
  let folder: LocationFolder;
  let location: ServedLocation;

  /** A certificate of the test's own authority, for the host and for a daemon alike. */
  function certify(name: string): void {
    const at = (suffix: string) => `${folder.path}/${name}.${suffix}`;
    const openssl = (...parameters: string[]) => execFileSync("openssl", parameters, { stdio: "ignore" });
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", at("key"), "-out", at("csr"), "-subj", `/CN=${name}`);
    folder.write({ [`${name}.ext`]: "subjectAltName=IP:127.0.0.1" });
    const ca = ["-CA", `${folder.path}/ca.pem`, "-CAkey", `${folder.path}/ca.key`, "-CAcreateserial"];
    openssl("x509", "-req", "-in", at("csr"), ...ca, "-days", "2", "-extfile", at("ext"), "-out", at("pem"));
  }

  const file = (name: string) => readFileSync(`${folder.path}/${name}`);

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
    const out = ["-keyout", `${folder.path}/ca.key`, "-out", `${folder.path}/ca.pem`, "-subj", "/CN=ca"];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...out], {
      stdio: "ignore",
    });
    certify("server");
    certify("daemon");
    const path = (name: string) => `${folder.path}/${name}`;
    const tls = { cert: path("server.pem"), key: path("server.key"), ca: path("ca.pem") };
    location = await serve({ module: folder.path, port: 0, workers: 1, signals: false, tls });
  });

  afterAll(async () => {
    await location?.close({ deadlineMs: 0 });
    folder.remove();
  });

  test("answers a daemon with a certificate of the authority", async () => {
    const channel = credentials.createSsl(file("ca.pem"), file("daemon.key"), file("daemon.pem"));
    expect((await handshake(channel)).team).toBe("shop");
  });

  test("tells its own health check, which shows its own certificate", async () => {
    const path = (name: string) => `${folder.path}/${name}`;
    const tls = { cert: path("server.pem"), key: path("server.key") };
    expect(await checkHealth({ port: location.port, tls })).toBe("SERVING");
    expect(await checkHealth({ port: location.port, deadlineMs: 500 })).toBe("UNREACHABLE");
  });

  test("answers neither a caller without one, nor one without TLS", async () => {
    await expect(handshake(credentials.createSsl(file("ca.pem")))).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await expect(handshake(credentials.createInsecure())).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});
