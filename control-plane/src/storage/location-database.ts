import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { asSuperuser } from "./as-superuser.ts";
import { writeWhole } from "./postgres-cluster.ts";
import { StorageError } from "./storage-error.ts";

/** A location that leaks connections is refused more, before the control plane would be. */
const connectionsMax = 20;
/** Postgres cuts longer names without a word, and two could become one. */
const nameLengthMax = 63;

/**
 * The URL of a role and a database of a location's own on the embedded server, made on first use. The role may connect
 * to no other database of the server, the control plane's included. Every step may be repeated, so that a death between
 * two of them costs nothing. Throws `postgres.location_database_failed`.
 *
 * @param home where passwords are kept
 * @param adminUrl of the superuser
 * @param controlPlaneDatabase nobody but the superuser may connect to it
 */
export async function openLocationDatabase(
  home: string,
  adminUrl: string,
  controlPlaneDatabase: string,
  locationName: string,
): Promise<string> {
  try {
    const name = nameFor(locationName);
    const password = await passwordOf(home, locationName);
    await asSuperuser(adminUrl, (client) => grant(client, controlPlaneDatabase, name, password));
    return urlOf(name, password, new URL(adminUrl).host);
  } catch (cause) {
    throw new StorageError(
      "postgres.location_database_failed",
      `no database could be made for location ${locationName}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** The URL of a location's database that `dev` has made, as far as files tell; nothing is made or dialled. */
export async function knownLocationDatabase(home: string, locationName: string): Promise<string | undefined> {
  const [password, port] = await Promise.all(
    [passwordFile(home, locationName), join(home, "port")].map((file) => readFile(file, "utf8").catch(() => "")),
  );
  if (!password?.trim() || !port?.trim()) return undefined;
  return urlOf(nameFor(locationName), password.trim(), `127.0.0.1:${port.trim()}`);
}

function urlOf(name: string, password: string, host: string): string {
  return `postgres://${name}:${password}@${host}/${name}`;
}

function passwordFile(home: string, locationName: string): string {
  return join(home, `location-${locationName}.password`);
}

async function grant(client: pg.Client, controlPlaneDatabase: string, name: string, password: string): Promise<void> {
  const identifier = client.escapeIdentifier(name);
  for (const shared of [controlPlaneDatabase, "postgres", "template1"]) {
    await client.query(`revoke connect on database ${client.escapeIdentifier(shared)} from public`);
  }
  const role = await client.query("select from pg_roles where rolname = $1", [name]);
  if (role.rowCount === 0) await client.query(`create role ${identifier}`);
  await client.query(
    `alter role ${identifier} login connection limit ${String(connectionsMax)} password ${client.escapeLiteral(password)}`,
  );
  const database = await client.query("select from pg_database where datname = $1", [name]);
  if (database.rowCount === 0) await client.query(`create database ${identifier} owner ${identifier}`);
  await client.query(`revoke connect on database ${identifier} from public`);
}

function nameFor(locationName: string): string {
  const name = `location_${locationName}`;
  if (name.length <= nameLengthMax) return name;
  return `location_${createHash("sha256").update(locationName).digest("hex").slice(0, 40)}`;
}

/** Kept beside the server's own, so that a location finds its database again after a restart. */
async function passwordOf(home: string, locationName: string): Promise<string> {
  const file = passwordFile(home, locationName);
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept.trim() !== "") return kept.trim();
  const password = randomBytes(24).toString("base64url");
  await writeWhole(file, `${password}\n`);
  return password;
}
