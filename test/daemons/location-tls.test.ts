import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { serve, type ServedLocation } from "@headgate/sdk/serve";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type LocationListener,
  LocationSync,
  type LocationTarget,
} from "../../control-plane/src/daemons/location-sync.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";
import { type BareLocation, startBareLocation } from "../support/bare-location.ts";
import { Certificates, hasOpenssl } from "../support/certificates.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { until } from "../support/until.ts";

interface Row {
  readonly state: string;
  readonly code: string | null;
  readonly message: string | null;
  readonly hint: string | null;
}

interface Mistake {
  readonly code: string;
  readonly message: RegExp;
  readonly hint: RegExp;
}

describe.skipIf(!hasOpenssl)("a daemon among locations with TLS", () => {
  let database: TestDatabase;
  let folder: LocationFolder;
  let location: ServedLocation;
  let bare: BareLocation;
  let sync: LocationSync;
  const certificates = new Certificates();
  const path = (name: string) => certificates.path(name);
  const closed: string[] = [];
  const targets = new Map<string, LocationTarget>();

  const listener: LocationListener = {
    sessionOpened: () => undefined,
    sessionClosed: (name) => void closed.push(name),
    inFlight: () => [],
    reports: () => undefined,
    refused: () => undefined,
    credits: () => undefined,
  };
  const ours = () => ({ ca: path("ca.pem"), cert: path("daemon.pem"), key: path("daemon.key") });

  async function add(name: string, address: string, tls?: LocationTarget["tls"]): Promise<void> {
    targets.set(name, { name, team: name, address, ...(tls === undefined ? {} : { tls }) });
    await sync.setTargets({ targets: [...targets.values()], complete: true });
    await sync.ready();
  }

  async function row(name: string): Promise<Row> {
    const { rows } = await database.pool.query<Row>(
      `select state, error ->> 'code' as code, error ->> 'message' as message, error ->> 'hint' as hint
       from locations where name = $1`,
      [name],
    );
    return rows[0] ?? { state: "", code: null, message: null, hint: null };
  }

  beforeAll(async () => {
    certificates.authority("ca");
    certificates.authority("other");
    certificates.issue("server", "ca");
    certificates.issue("daemon", "ca", { names: "DNS:daemon" });
    certificates.issue("stranger", "other", { names: "DNS:daemon" });
    certificates.issue("expired", "ca", { days: -1 });
    certificates.issue("renewed", "other");
    certificates.replace({ "served.pem": "server.pem", "served.key": "server.key", "trusted.pem": "ca.pem" });
    writeFileSync(path("junk.pem"), "no certificate");
    database = await testDatabase();
    await database.pool.query("select ensure_event_partitions()");
    folder = new LocationFolder({
      "definitions.ts": `
import { definitions } from "@headgate/sdk";
export default definitions({ team: "shop", assets: [] });
`,
    });
    const tls = { cert: path("served.pem"), key: path("served.key"), ca: path("trusted.pem") };
    location = await serve({ module: folder.path, port: 0, workers: 1, signals: false, tls });
    bare = await startBareLocation({});
    sync = new LocationSync({
      pool: database.pool,
      listener,
      daemonId: randomUUID,
      log: { info: () => undefined, warn: () => undefined },
      circuit: { delayMsMin: 10, delayMsMax: 100, failuresMax: 3 },
    });
    await add("plain", bare.address);
    await add("shop", `127.0.0.1:${location.port}`, ours());
  });
  afterAll(async () => {
    await sync?.close();
    await location?.close({ deadlineMs: 0 });
    await bare?.close();
    folder?.remove();
    certificates.remove();
    await database?.drop();
  });

  test("a location whose certificates agree is healthy", async () => {
    expect(await row("shop")).toMatchObject({ state: "healthy", code: null });
  });

  test.each<[string, () => LocationTarget["tls"], Mistake, string?]>([
    [
      "the wrong authority",
      () => ({ ...ours(), ca: path("other.pem") }),
      { code: "location.tls_failed", message: /of an authority that is not trusted here$/, hint: /^set ca in tls/ },
    ],
    [
      "no certificate of its own",
      () => ({ ca: path("ca.pem") }),
      { code: "location.tls_failed", message: /./, hint: /a cert and key of the authority that the location trusts/ },
    ],
    [
      "a certificate of another authority",
      () => ({ ca: path("ca.pem"), cert: path("stranger.pem"), key: path("stranger.key") }),
      { code: "location.tls_failed", message: /./, hint: /a cert and key of the authority that the location trusts/ },
    ],
    [
      "a certificate of its own that has expired",
      () => ({ ca: path("ca.pem"), cert: path("expired.pem"), key: path("expired.key") }),
      { code: "location.tls_failed", message: /expired\.pem expired on /, hint: /^renew it/ },
    ],
    [
      "a host that the certificate is not for",
      ours,
      { code: "location.tls_failed", message: /is for other names/, hint: /subjectAltName/ },
      "localhost",
    ],
    [
      "a key of another certificate",
      () => ({ ...ours(), key: path("stranger.key") }),
      { code: "location.tls_unreadable", message: /stranger\.key is no key of /, hint: /^correct tls/ },
    ],
    [
      "a file that is no certificate",
      () => ({ ca: path("junk.pem") }),
      { code: "location.tls_unreadable", message: /junk\.pem holds no certificate/, hint: /^correct tls/ },
    ],
    [
      "no TLS at all",
      () => undefined,
      {
        code: "location.unreachable",
        message: /ended the connection before it began/,
        hint: /if the location serves TLS/,
      },
    ],
  ])("an entry with %s says so, and how to mend it", async (what, tls, { code, message, hint }, host = "127.0.0.1") => {
    await add("wrong", `${host}:${location.port}`, tls());
    const said = await row("wrong");
    expect(said, what).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(said.hint).toMatch(hint);
    expect(said.state).toBe(code === "location.unreachable" ? "unreachable" : "refused");
  });

  test("an entry with TLS for a location without says so", async () => {
    await add("wrong", bare.address, { ca: path("ca.pem") });
    expect(await row("wrong")).toMatchObject({
      code: "location.tls_failed",
      message: expect.stringMatching(/does not speak TLS$/),
    });
  });

  test("certificates are renewed on both sides without a restart, and one that expired disturbs nobody else", async () => {
    const sides = { ca: path("late-ca.pem"), cert: path("late.pem"), key: path("late.key") };
    certificates.replace({ "late-ca.pem": "ca.pem", "late.pem": "daemon.pem", "late.key": "daemon.key" });
    certificates.replace({ "served.pem": "expired.pem", "served.key": "expired.key" });
    // Sessions that are open stay, so that it is dialled anew until it is shown the other certificate.
    await until("the expired certificate is seen", async () => {
      targets.delete("wrong");
      await sync.setTargets({ targets: [...targets.values()], complete: true });
      await add("wrong", `127.0.0.1:${location.port}`, sides);
      return /has expired/.test((await row("wrong")).message ?? "");
    });

    // Halfway through a renewal the files do not fit together; what was served before goes on.
    certificates.replace({ "served.pem": "renewed.pem" });
    certificates.replace({ "served.key": "renewed.key", "trusted.pem": "other.pem" });
    await until("the new authority is seen", async () => /not trusted/.test((await row("wrong")).message ?? ""));
    certificates.replace({ "late-ca.pem": "other.pem", "late.pem": "stranger.pem", "late.key": "stranger.key" });
    await until("the entry is healthy", async () => (await row("wrong")).state === "healthy");

    expect(closed).not.toContain("shop");
    expect(closed).not.toContain("plain");
    expect([await row("shop"), await row("plain")]).toMatchObject([{ state: "healthy" }, { state: "healthy" }]);
  });
});
