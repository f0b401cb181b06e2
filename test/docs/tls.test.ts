import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkHealth, serve } from "@headgate/sdk/serve";
import { afterAll, describe, expect, test } from "vitest";
import { workspaceTargets } from "../../control-plane/src/daemons/location-target.ts";
import { connectLocation } from "../../control-plane/src/grpc/location-client.ts";
import { readTlsFiles } from "../../control-plane/src/grpc/tls-files.ts";
import { parseWorkspace } from "../../control-plane/src/workspace/parse-workspace.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";
import { hasOpenssl } from "../support/certificates.ts";
import { DocumentedDeployment } from "./documented-deployment.ts";
import { fencedBlocks } from "./fenced-blocks.ts";

const document = "docs/how-to/tls.md";
const blocks = fencedBlocks(
  readFileSync(fileURLToPath(new URL(`../../${document}`, import.meta.url)), "utf8"),
  document,
);

describe.skipIf(!hasOpenssl)("The certificates that docs/how-to/tls.md makes", () => {
  const reader = new DocumentedDeployment({ empty: true, instead: new Map([["orders.internal", "localhost"]]) });
  const folder = new LocationFolder({
    "definitions.ts": `
import { definitions } from "@headgate/sdk";
export default definitions({ team: "orders", assets: [] });
`,
  });
  afterAll(async () => {
    folder.remove();
    await reader.stop();
  });

  test("close a location to everybody but the control plane of the entry that is shown", async () => {
    for (const block of blocks.filter(({ marks }) => marks.has("run"))) await reader.carryOut(block, undefined);
    const at = (name: string) => join(reader.folder, "tls", name);
    const token = readFileSync(at("orders.token"), "utf8").trim();
    const tls = { cert: at("orders.pem"), key: at("orders.key"), ca: at("ca.pem") };
    const location = await serve({ module: folder.path, port: 0, workers: 1, signals: false, token, tls });
    try {
      const shown = blocks.find(({ marks }) => marks.has("workspace"))?.text ?? "";
      const text = shown.replace("orders.internal", "localhost").replace("4000", String(location.port));
      const env = { ORDERS_TOKEN: token };
      const workspace = parseWorkspace(text, join(reader.folder, "workspace.yaml"), env);
      expect(workspace.problems).toEqual([]);
      const [target] = workspaceTargets(workspace.entries, workspace, env).targets;
      const address = { address: target?.address ?? "", daemonId: "daemon", tls: readTlsFiles(target?.tls ?? {}) };

      const ours = connectLocation({ ...address, ...(target?.token === undefined ? {} : { token: target.token }) });
      expect(await ours.handshake()).toMatchObject({ team: "orders" });
      ours.close();
      const withoutToken = connectLocation(address);
      await expect(withoutToken.handshake()).rejects.toMatchObject({ code: "location.unauthenticated" });
      withoutToken.close();
      const withoutTls = connectLocation({ ...address, tls: { ca: readFileSync(at("ca.pem")) } });
      await expect(withoutTls.handshake()).rejects.toMatchObject({ code: "location.tls_failed" });
      withoutTls.close();
      expect(await checkHealth({ port: location.port, tls })).toBe("SERVING");
    } finally {
      await location.close({ deadlineMs: 0 });
    }
  });
});
