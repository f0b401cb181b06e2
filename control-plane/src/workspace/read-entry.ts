import { dirname, isAbsolute, resolve } from "node:path";
import { isMap, type Node } from "yaml";
import { interpolate } from "./interpolate.ts";
import { keyText, type MapReader, nearest, type NodeReader, type Reading } from "./node-reader.ts";
import { host, name, notEmpty, port, variableName } from "./value-rules.ts";
import type { GrpcServerEntry, ModuleEntry, WorkspaceEntry, WorkspaceSidecar } from "./workspace.ts";

const kinds = ["grpc_server", "module"] as const;

/** The location that an item of load_from is about, as far as that can be told of an item that may be wrong. */
export function peekLocationName(item: Node, { env }: Reading): string | undefined {
  const body = isMap(item) ? item.items[0]?.value : undefined;
  const written = isMap(body) ? body.get("location_name") : undefined;
  const filled = typeof written === "string" ? interpolate(written, env) : undefined;
  return filled?.ok === true && name.pattern.test(filled.text) ? filled.text : undefined;
}

/** Reads one item of load_from. What it returns is to be used only if `reader` did not fail. */
export function readEntry(reader: NodeReader, item: Node, reading: Reading): WorkspaceEntry | undefined {
  const map = reader.anyMap(item, "an entry of load_from");
  const pair = map?.items[0];
  if (map === undefined || pair === undefined) return undefined;
  const kind = keyText(pair) ?? "";
  if (map.items.length > 1) {
    const keys = map.items.map((other) => keyText(other) ?? "?").join(", ");
    const hint = 'indent what belongs to it, and begin each entry with "- "';
    return reader.problem(item, "workspace.wrong_value", `an entry of load_from has several keys: ${keys}`, hint);
  }
  const body = reader.resolve(pair.value);
  switch (kind) {
    case "grpc_server":
      return readGrpcServer(reader, item, body, reading);
    case "module":
      return readModule(reader, item, body, reading);
    default:
      return reader.problem(
        pair.key as Node,
        "workspace.unknown_key",
        `unknown entry "${kind}" in load_from`,
        nearest(kind, kinds),
      );
  }
}

function readName(map: MapReader): { locationName: string; team: string } {
  const locationName = map.required("location_name", map.text("location_name", name)) ?? "";
  return { locationName, team: map.text("team", name) ?? locationName };
}

function readGrpcServer(
  reader: NodeReader,
  item: Node,
  body: Node | undefined,
  reading: Reading,
): GrpcServerEntry | undefined {
  const map = reader.map(body, "grpc_server", ["host", "port", "location_name", "team", "tls", "token_env"]);
  if (map === undefined) return undefined;
  const named = readName(map);
  const tokenEnv = map.text("token_env", variableName);
  if (tokenEnv !== undefined && !reading.env[tokenEnv]) {
    const message = `grpc_server: token_env: the environment variable ${tokenEnv} is not set`;
    reader.problem(
      map.node("token_env"),
      "workspace.missing_variable",
      message,
      `set ${tokenEnv}, or remove token_env`,
    );
  }
  const tls = readTls(reader, map.node("tls"), reading);
  return {
    kind: "grpcServer",
    ...named,
    line: reader.lineOf(item),
    host: map.required("host", map.text("host", host)) ?? "",
    port: Number(map.required("port", map.text("port", port))),
    ...(tls === undefined ? {} : { tls }),
    ...(tokenEnv === undefined ? {} : { tokenEnv }),
  };
}

function readTls(reader: NodeReader, node: Node | undefined, { file }: Reading): GrpcServerEntry["tls"] {
  if (node === undefined) return undefined;
  const map = reader.map(node, "tls", ["ca", "cert", "key"]);
  if (map === undefined) return undefined;
  const path = (key: "ca" | "cert" | "key") => {
    const text = map.text(key, notEmpty);
    return text === undefined ? {} : { [key]: relativeTo(file, text) };
  };
  if ((map.node("cert") === undefined) !== (map.node("key") === undefined)) {
    const [there, missing] = map.node("cert") === undefined ? ["key", "cert"] : ["cert", "key"];
    reader.problem(
      node,
      "workspace.missing_key",
      `tls has a ${there} but no ${missing}`,
      `add ${missing}, or remove ${there}`,
    );
  }
  return { ...path("ca"), ...path("cert"), ...path("key") };
}

function readModule(reader: NodeReader, item: Node, body: Node | undefined, reading: Reading): ModuleEntry | undefined {
  const map = reader.map(body, "module", ["path", "location_name", "team", "env", "env_file", "database", "sidecars"]);
  if (map === undefined) return undefined;
  const named = readName(map);
  const path = map.required("path", map.text("path", notEmpty)) ?? "";
  const envFile = map.text("env_file", notEmpty);
  const database = map.text("database", variableName);
  return {
    kind: "module",
    ...named,
    line: reader.lineOf(item),
    path: relativeTo(reading.file, path),
    env: readEnv(reader, map.node("env")),
    ...(envFile === undefined ? {} : { envFile: relativeTo(reading.file, envFile) }),
    ...(database === undefined ? {} : { database }),
    sidecars: readSidecars(reader, map.node("sidecars")),
  };
}

function readEnv(reader: NodeReader, node: Node | undefined): Record<string, string> {
  const env: Record<string, string> = {};
  if (node === undefined) return env;
  for (const pair of reader.anyMap(node, "env")?.items ?? []) {
    const key = keyText(pair) ?? "";
    if (!variableName.pattern.test(key)) {
      reader.problem(
        pair.key as Node,
        "workspace.wrong_value",
        `env: "${key}" is no name of a variable`,
        "use letters, digits and _",
      );
      continue;
    }
    const value = reader.text(reader.resolve(pair.value) ?? (pair.key as Node), `env: ${key}`);
    if (value !== undefined) env[key] = value;
  }
  return env;
}

function readSidecars(reader: NodeReader, node: Node | undefined): WorkspaceSidecar[] {
  if (node === undefined) return [];
  const sidecars = new Map<string, WorkspaceSidecar>();
  for (const item of reader.list(node, "sidecars") ?? []) {
    const map = reader.map(item, "a sidecar", ["name", "command"]);
    const sidecar = map?.required("name", map.text("name", name));
    const command = map?.required("command", map.text("command", notEmpty));
    if (sidecar === undefined || command === undefined) continue;
    if (sidecars.has(sidecar)) {
      reader.problem(item, "workspace.wrong_value", `there are two sidecars ${sidecar}`, "give one another name");
    }
    sidecars.set(sidecar, { name: sidecar, command });
  }
  return [...sidecars.values()];
}

function relativeTo(file: string, path: string): string {
  return isAbsolute(path) ? path : resolve(dirname(file), path);
}
