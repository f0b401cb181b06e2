import { type Database, openDatabase } from "../../storage/database.ts";
import { migrationStatus, type MigrationStatus } from "../../storage/migrate.ts";
import { readServerClock } from "../../storage/server-clock.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const answerTimeoutMs = 5_000;
const skewMsMax = 2_000;

const schemas: Record<MigrationStatus["schema"], Finding> = {
  current: ok("schema", "it is what this version needs"),
  outdated: fail("schema", "it is older than this version", "stop daemons and APIs, then run: headgate migrate"),
  newer: ok("schema", "it is newer than this version, and this version may use it"),
  newerBreaking: fail("schema", "a newer Headgate changed it in a way that this one cannot use", "use that version"),
  changed: fail("schema", "a migration was changed after it was applied", "headgate migrate --status names it"),
};

/** The database of `HEADGATE_DATABASE_URL`: connection, version, schema and clock. */
export async function databaseFindings(env: Environment): Promise<Finding[]> {
  const url = env["HEADGATE_DATABASE_URL"];
  if (url === undefined || url === "") {
    return [ok("database", "HEADGATE_DATABASE_URL is not set; headgate dev brings its own")];
  }
  const hint = "check HEADGATE_DATABASE_URL, that the server runs, and that it lets this machine in";
  let database: Database | undefined;
  try {
    database = openDatabase(url, {
      max: 1,
      applicationName: "headgate doctor",
      answerGraceMs: 0,
      statementTimeoutMs: answerTimeoutMs,
    });
    const { version, aheadMs } = await readServerClock(database.pool);
    const major = Number.parseInt(version, 10);
    return [
      major >= 15
        ? ok("database", `Postgres ${version} answers`)
        : fail("database", `Postgres ${version} is older than 15`, "use Postgres 15 or newer"),
      clockFinding(aheadMs),
      schemas[(await migrationStatus(database.pool)).schema],
    ];
  } catch (error) {
    return [fail("database", `it does not answer: ${error instanceof Error ? error.message : String(error)}`, hint)];
  } finally {
    await database?.close().catch(() => undefined);
  }
}

export function clockFinding(aheadMs: number): Finding {
  if (Math.abs(aheadMs) <= skewMsMax)
    return ok("clock", `this clock and the database's are ${Math.abs(aheadMs)} ms apart`);
  const message = `the database's clock is ${Math.abs(aheadMs)} ms ${aheadMs > 0 ? "ahead of" : "behind"} this one`;
  return warn(
    "clock",
    message,
    "synchronize both machines, by NTP for example: waivers and takeovers follow the database",
  );
}

/** The control plane of `HEADGATE_URL`, and whether it takes `HEADGATE_TOKEN`. */
export async function controlPlaneFinding(env: Environment): Promise<Finding> {
  const asked = env["HEADGATE_URL"];
  const url = (asked ?? "http://127.0.0.1:3000").replace(/\/+$/, "");
  const token = env["HEADGATE_TOKEN"];
  const check = "control-plane";
  if (!URL.canParse(url)) return fail(check, "HEADGATE_URL is no URL", "for example http://127.0.0.1:3000");
  try {
    const response = await fetch(`${url}/api/v1/teams`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    if (response.ok) return ok(check, `${url} answers${token === undefined ? "" : " and takes HEADGATE_TOKEN"}`);
    if (response.status === 401) {
      return token === undefined
        ? fail(check, `${url} asks for a token`, "set HEADGATE_TOKEN to one whose hash is in HEADGATE_TOKENS there")
        : fail(check, `${url} does not take HEADGATE_TOKEN`, "compare its SHA-256 with HEADGATE_TOKENS there");
    }
    // Whatever it is, nobody has said that it is the one.
    return (asked === undefined ? warn : fail)(
      check,
      `${url} answers with HTTP ${response.status}`,
      "set HEADGATE_URL to where the control plane is",
    );
  } catch (error) {
    if (asked === undefined) return ok(check, `none runs at ${url}, and HEADGATE_URL is not set`);
    const code = ((error as Error).cause as { code?: unknown } | undefined)?.code;
    const why = typeof code === "string" ? ` (${code})` : "";
    return fail(check, `nothing answers at ${url}${why}`, "start it, or set HEADGATE_URL to where it is");
  }
}
