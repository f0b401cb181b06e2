import { randomUUID } from "node:crypto";
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openObjectStore } from "@headgate/connections";
import {
  CheckOutcome,
  DependencyMode,
  Outcome,
  type CodeLocationClient,
  type Finished,
  type Input,
  type VersionReference,
} from "@headgate/proto";
import { serve, type ServedLocation } from "@headgate/sdk/serve";
import { client, command, DaemonSession } from "../sdk/support/daemon-session.ts";
import { s3ServerProblem, startS3Server, type S3Server } from "../support/s3-server.ts";

const folderOf = (team: string) => fileURLToPath(new URL(`../../code-locations/${team}`, import.meta.url));

/** One team's code location in its own processes, driven as a daemon drives it. */
class Location {
  readonly #served: ServedLocation;
  readonly #stub: CodeLocationClient;
  readonly #session: DaemonSession;

  private constructor(served: ServedLocation, stub: CodeLocationClient, session: DaemonSession) {
    this.#served = served;
    this.#stub = stub;
    this.#session = session;
  }

  static async serve(folder: string): Promise<Location> {
    const served = await serve({ module: folder, port: 0, workers: 1, signals: false });
    const stub = client(served.port);
    return new Location(served, stub, await DaemonSession.open(stub));
  }

  /** Materializes one partition; gives what came out and the version for readers. */
  async materialize(
    assetKey: string,
    parts: { month?: string; inputs?: Input[]; checks?: string[] } = {},
  ): Promise<{ finished: Finished; version: VersionReference }> {
    const { month = "", inputs = [], checks = [] } = parts;
    const versionId = randomUUID();
    const [year, number] = [Number(month.slice(0, 4)), Number(month.slice(5))];
    const window = {
      start: new Date(Date.UTC(year, number - 1)).toJSON() ?? "",
      end: new Date(Date.UTC(year, number)).toJSON() ?? "",
    };
    const step = command(assetKey, {
      partitionKey: month,
      window: month === "" ? undefined : window,
      work: { $case: "materialize", value: { versionId, inputs, checks, config: "" } },
    });
    const finished = await this.#session.run(step);
    // What is known before the end may come ahead of it.
    const events = this.#session.eventsOf(step.attemptId).flatMap(({ event }) => (event === undefined ? [] : [event]));
    const early = events.flatMap((event) => (event.$case === "computed" ? [event.value] : []));
    const computed = finished.computed ?? early[0];
    const checked = events.flatMap((event) => (event.$case === "checkCompleted" ? [event.value] : []));
    const { value, dataVersion = "" } = computed ?? {};
    return {
      finished: { ...finished, computed, checks: [...checked, ...finished.checks] },
      version: { versionId, partitionKey: month, value, dataVersion, metadata: "{}" },
    };
  }

  async close(): Promise<void> {
    await this.#session.drop();
    this.#stub.close();
    await this.#served.close({ deadlineMs: 0 });
  }
}

function strict(name: string, assetKey: string, version: VersionReference): Input {
  const mode = DependencyMode.DEPENDENCY_MODE_STRICT;
  return { name, assetKey, mode, versions: [version], leftOut: [], single: true };
}

function validated(name: string, assetKey: string, versions: VersionReference[], leftOut: string[]): Input {
  const mode = DependencyMode.DEPENDENCY_MODE_LAST_VALIDATED;
  return { name, assetKey, mode, versions, leftOut, single: false };
}

/** `{ observed: { integer: 6 } }` as `{ observed: 6 }`. */
function plain(metadata: readonly { name: string; value?: { $case: string; value: unknown } | undefined }[] = []) {
  return Object.fromEntries(metadata.map(({ name, value }) => [name, value?.value]));
}

function check(finished: Finished, name: string) {
  const found = finished.checks.find((candidate) => candidate.name === name);
  return { outcome: found?.outcome, description: found?.description, metadata: plain(found?.metadata) };
}

const cleanChecks = ["no_nulls", "known_airports", "no_departure_two_hours_early", "no_exact_duplicates"];

function describeTeams(name: string, openStore: () => Promise<{ url: string; close: () => Promise<void> }>): void {
  describe(name, () => {
    let flights: Location;
    let analytics: Location;
    let store: { url: string; close: () => Promise<void> };

    beforeAll(async () => {
      store = await openStore();
      process.env["HEADGATE_OBJECT_STORE"] = store.url;
      [flights, analytics] = await Promise.all([
        Location.serve(folderOf("flights")),
        Location.serve(folderOf("analytics")),
      ]);
    });
    afterAll(async () => {
      await Promise.all([flights?.close(), analytics?.close()]);
      await store?.close();
    });

    async function cleanFlights(month: string) {
      const raw = await flights.materialize("flights/raw_flights", { month, checks: ["enough_rows"] });
      expect(raw.finished.error).toBeUndefined();
      const inputs = [strict("raw", "flights/raw_flights", raw.version)];
      const clean = await flights.materialize("flights/clean_flights", { month, inputs, checks: cleanChecks });
      expect(clean.finished.error).toBeUndefined();
      return { raw, clean };
    }

    it("July has six flights, which is not enough", async () => {
      const { finished } = await flights.materialize("flights/raw_flights", {
        month: "2001-07",
        checks: ["enough_rows"],
      });
      expect(finished.outcome).toBe(Outcome.OUTCOME_SUCCEEDED);
      expect(check(finished, "enough_rows")).toEqual({
        outcome: CheckOutcome.CHECK_OUTCOME_FAILED,
        description: "6 rows, 310,000 needed: 10,000 for each of the 31 days of 2001-07",
        metadata: { observed: 6, needed: 310_000 },
      });
    });

    it("two teams make a report of what passed, each reading only what the other stored", async () => {
      const airports = await flights.materialize("flights/airports");
      const months: Record<"routes" | "days", VersionReference[]> = { routes: [], days: [] };
      for (const month of ["2001-01", "2001-02"]) {
        const { raw, clean } = await cleanFlights(month);
        expect(check(raw.finished, "enough_rows").outcome).toBe(CheckOutcome.CHECK_OUTCOME_PASSED);
        expect(plain(clean.finished.computed?.metadata)).toEqual(
          month === "2001-02" ? { rows: 458_167, removed: 3 } : { rows: 508_239, removed: 0 },
        );
        for (const blocking of cleanChecks.slice(0, 3)) {
          expect(check(clean.finished, blocking).outcome).toBe(CheckOutcome.CHECK_OUTCOME_PASSED);
        }
        expect(check(clean.finished, "no_exact_duplicates").outcome).toBe(CheckOutcome.CHECK_OUTCOME_WARNED);

        const inputs = [strict("flights", "flights/clean_flights", clean.version)];
        const routes = await analytics.materialize("analytics/route_delays", {
          month,
          inputs,
          checks: ["plausible_averages"],
        });
        expect(check(routes.finished, "plausible_averages").outcome).toBe(CheckOutcome.CHECK_OUTCOME_PASSED);
        inputs.push(strict("airports", "flights/airports", airports.version));
        const days = await analytics.materialize("analytics/airport_day_delays", { month, inputs });
        expect(days.finished.error).toBeUndefined();
        months.routes.push(routes.version);
        months.days.push(days.version);
      }

      const leftOut = ["2001-03", "2001-07"];
      const { finished, version } = await analytics.materialize("analytics/half_year_summary", {
        inputs: [
          validated("routes", "analytics/route_delays", months.routes, leftOut),
          validated("airportDays", "analytics/airport_day_delays", months.days, leftOut),
        ],
      });
      expect(finished.error).toBeUndefined();
      const metadata = plain(finished.computed?.metadata);
      expect(metadata).toMatchObject({ left_out: JSON.stringify(leftOut), flights: 508_239 + 458_167 });

      const objects = await openObjectStore(store.url);
      const report = Buffer.from(await objects.get(version.value!, { sizeBytesMax: 100_000 })).toString();
      await objects.close();
      expect(version.value?.mediaType).toBe("text/markdown");
      expect(metadata["report"]).toBe(report);
      expect(report).toContain("**2001-03, 2001-07**");
      expect(report).toContain("| 2001-02 | 458,167 | 9.0 |");
    });

    it("making the same month again gives the same data version, so that no reader becomes stale", async () => {
      const [first, second] = [await cleanFlights("2001-06"), await cleanFlights("2001-06")];
      expect(second.clean.version.dataVersion).toBe(first.clean.version.dataVersion);
      expect(second.clean.version.value?.place).not.toBe(first.clean.version.value?.place);
    });
  });
}

describeTeams("The example teams, with their values in a folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "headgate-teams-"));
  return { url: pathToFileURL(folder).href, close: () => rm(folder, { recursive: true, force: true }) };
});

describe.skipIf(process.env["HEADGATE_REQUIRE_S3"] !== "1" && s3ServerProblem() !== undefined)("S3", () => {
  describeTeams("The example teams, with their values in a bucket", async () => {
    const server: S3Server = await startS3Server();
    process.env["AWS_ACCESS_KEY_ID"] = server.accessKeyId;
    process.env["AWS_SECRET_ACCESS_KEY"] = server.secretAccessKey;
    const s3 = new S3Client({ endpoint: server.endpoint, region: "us-east-1", forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "teams" }));
    s3.destroy();
    return { url: `s3://teams/values?endpoint=${server.endpoint}&forcePathStyle=true`, close: () => server.stop() };
  });
});

describe("Without the line that removes early departures", () => {
  let folder: string;
  let flights: Location;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "headgate-fix-story-")));
    await cp(folderOf("flights"), folder, { recursive: true });
    await symlink(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(folder, "node_modules"));
    const path = join(folder, "assets", "clean-flights.ts");
    const lines = (await readFile(path, "utf8")).split("\n");
    const kept = lines.filter((line) => !line.includes("where delay >= -120"));
    expect(kept).toHaveLength(lines.length - 1);
    await writeFile(path, kept.join("\n"));
    process.env["HEADGATE_OBJECT_STORE"] = pathToFileURL(join(folder, "values")).href;
    flights = await Location.serve(folder);
  });
  afterAll(async () => {
    await flights?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("February's flights are still made, and their check fails with the three rows", async () => {
    const raw = await flights.materialize("flights/raw_flights", { month: "2001-02" });
    const inputs = [strict("raw", "flights/raw_flights", raw.version)];
    const parts = { month: "2001-02", inputs, checks: cleanChecks };
    const { finished } = await flights.materialize("flights/clean_flights", parts);
    expect(plain(finished.computed?.metadata)).toEqual({ rows: 458_170, removed: 0 });
    const verdict = check(finished, "no_departure_two_hours_early");
    expect(verdict).toMatchObject({
      outcome: CheckOutcome.CHECK_OUTCOME_FAILED,
      description: "3 departures more than two hours early",
    });
    const table = verdict.metadata["rows"] as { rows: { cells: string[] }[] };
    expect(table.rows.map((row) => row.cells.map((cell) => JSON.parse(cell) as unknown))).toEqual([
      ["2001-02-01 12:17:00", -212, 256, "LAS", "PHX"],
      ["2001-02-22 23:08:00", -953, 938, "EWR", "MCO"],
      ["2001-02-27 23:10:00", -1116, 1068, "MIA", "STL"],
    ]);
  });
});
