import { createHash, randomUUID } from "node:crypto";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/*
 * A code location on bare grpc-js and the .proto files: no SDK, no generated code, nothing of Headgate's but the
 * protocol's text. It stands for an author in another language, and, bent by its options, for one who gets it wrong.
 */

const protoRoot = fileURLToPath(new URL("../../proto", import.meta.url));
const loaded = loadSync(["headgate/v1/code_location.proto"], {
  includeDirs: [protoRoot],
  keepCase: false,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  arrays: true,
  objects: true,
});
const definitionType = loaded["headgate.v1.Definition"] as unknown as grpc.MethodDefinition<object, object>;
const service = loaded["headgate.v1.CodeLocation"] as unknown as grpc.ServiceDefinition;
/** proto-loader gives messages as descriptors that can serialize. */
const encodeDefinition = (definition: object): Buffer =>
  (definitionType as unknown as { serialize(value: object): Buffer }).serialize(definition);

export type WireObject = Record<string, unknown>;

/** A manifest entry: a definition as the .proto files spell it, or bytes, or an error. */
export interface BareEntry {
  readonly kind: "KIND_ASSET" | "KIND_CHECK" | "KIND_MODULE";
  readonly key: string;
  readonly definition?: WireObject;
  /** Sent instead of the encoded definition, under its hash. */
  readonly bytes?: Buffer;
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

export interface BareAttempt {
  readonly attemptId: string;
  readonly runId: string;
  readonly command: WireObject;
  /** Not yet acknowledged, in order. */
  events: WireObject[];
  sequence: number;
  finished: boolean;
}

export interface BareLocationOptions {
  readonly port?: number;
  readonly entries?: readonly BareEntry[];
  readonly token?: string;
  /** What the handshake answers besides; for example a refusal. */
  readonly handshake?: WireObject;
  /** What an attempt has to say; default: it computed, and every check passed. */
  readonly compute?: (command: WireObject) => readonly WireObject[];
  /** Frames to send as these very bytes, once the session is open. */
  readonly rawFrames?: readonly Buffer[];
  /** Takes calls and never answers. */
  readonly hangs?: boolean;
  /** Opens sessions and never says a word. */
  readonly mute?: boolean;
}

export interface BareLocation {
  readonly port: number;
  readonly address: string;
  readonly instanceId: string;
  /** Attempt ids of every command received, repeats too. */
  readonly commands: string[];
  readonly helloPositions: WireObject[];
  readonly attempts: ReadonlyMap<string, BareAttempt>;
  readonly definitionCalls: string[][];
  readonly openSessions: () => number;
  /** Heartbeats received, in all sessions. */
  readonly heartbeats: () => number;
  /** Calls of any kind since the start. */
  readonly calls: () => number;
  setEntries(entries: readonly BareEntry[]): void;
  /** Breaks every session as a broken network would. */
  dropSessions(): void;
  close(): Promise<void>;
}

/** Two assets, the second reading the first, and one blocking check of the first. */
export function bareEntries(team = "bare"): BareEntry[] {
  const asset = (name: string, dependencies: WireObject[] = []): BareEntry => ({
    kind: "KIND_ASSET",
    key: `${team}/${name}`,
    definition: {
      asset: {
        key: `${team}/${name}`,
        description: `The asset ${name}.`,
        codeVersion: "1",
        export: true,
        dependencies,
      },
    },
  });
  const upstream = { name: "numbers", assetKey: `${team}/numbers`, mode: "DEPENDENCY_MODE_STRICT" };
  return [asset("numbers"), asset("doubled", [upstream]), bareCheck({}, team)];
}

export function bareCheck(changes: WireObject, team = "bare"): BareEntry {
  const check = { assetKey: `${team}/numbers`, name: "not_empty", blocking: true, version: 1, ...changes };
  return { kind: "KIND_CHECK", key: `${team}/numbers@${String(check.name)}`, definition: { check } };
}

interface EncodedEntry {
  readonly entry: WireObject;
  readonly hash: string;
  readonly bytes: Buffer;
}

function encode({ kind, key, definition, bytes, error }: BareEntry): EncodedEntry {
  if (error !== undefined) return { entry: { kind, key, hash: "", error }, hash: "", bytes: Buffer.alloc(0) };
  const encoded = encodeDefinition(definition ?? {});
  const hash = createHash("sha256").update(encoded).digest("hex");
  return { entry: { kind, key, hash }, hash, bytes: bytes ?? encoded };
}

function manifestHash(entries: readonly EncodedEntry[]): string {
  const lines = entries.map(({ entry }) => JSON.stringify(entry)).sort();
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

/** Events of an attempt that computed and whose checks passed. */
export function computeAndPass(command: WireObject): WireObject[] {
  const work = (command["materialize"] ?? command["runChecks"]) as WireObject;
  const checks = (work["checks"] as string[]).map((name) => ({
    name,
    checkVersion: 1,
    outcome: "CHECK_OUTCOME_PASSED",
    metadata: [{ name: "rows", integer: 3 }],
  }));
  const versionId = work["versionId"] as string;
  const value = { scheme: "bare", place: versionId, mediaType: "text/plain", digest: "", sizeBytes: 5 };
  const computed =
    command["materialize"] === undefined
      ? undefined
      : { value, dataVersion: versionId, codeVersion: "1", metadata: [{ name: "rows", integer: 3 }] };
  return [{ finished: { outcome: "OUTCOME_SUCCEEDED", computed, checks } }];
}

type SessionCall = grpc.ServerDuplexStream<WireObject, WireObject | Buffer>;
type Unary = grpc.handleUnaryCall<WireObject, WireObject>;

/** Starts a location on 127.0.0.1; port 0 (the default) chooses one. */
export async function startBareLocation(options: BareLocationOptions = {}): Promise<BareLocation> {
  const location = new Location(options);
  await location.listen(options.port ?? 0);
  return location;
}

class Location implements BareLocation {
  readonly instanceId = randomUUID();
  readonly commands: string[] = [];
  readonly helloPositions: WireObject[] = [];
  readonly attempts = new Map<string, BareAttempt>();
  readonly definitionCalls: string[][] = [];
  port = 0;
  readonly #options: BareLocationOptions;
  readonly #server = new grpc.Server({
    "grpc.max_receive_message_length": 16 * 1_048_576,
    "grpc.max_send_message_length": -1,
  });
  readonly #sessions = new Set<SessionCall>();
  readonly #tombstones = new Set<string>();
  #entries: EncodedEntry[];
  #calls = 0;
  #heartbeats = 0;

  constructor(options: BareLocationOptions) {
    this.#options = options;
    this.#entries = (options.entries ?? bareEntries()).map(encode);
    this.#server.addService(rawSession(service), {
      handshake: this.#guarded((_, callback) => callback(null, this.#handshake())),
      getManifest: this.#guarded((call, callback) => callback(null, this.#manifest(call.request))),
      getDefinitions: (call: grpc.ServerWritableStream<WireObject, WireObject>) => this.#definitions(call),
      session: (call: SessionCall) => this.#session(call),
    });
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  openSessions(): number {
    return this.#sessions.size;
  }

  heartbeats(): number {
    return this.#heartbeats;
  }

  calls(): number {
    return this.#calls;
  }

  async listen(port: number): Promise<void> {
    this.port = await new Promise((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  }

  setEntries(entries: readonly BareEntry[]): void {
    this.#entries = entries.map(encode);
    for (const call of this.#sessions) call.write({ batch: { definitionsHash: manifestHash(this.#entries) } });
  }

  dropSessions(): void {
    for (const call of this.#sessions) {
      call.emit("error", { code: grpc.status.UNAVAILABLE, details: "dropped by the test" });
    }
    this.#sessions.clear();
  }

  async close(): Promise<void> {
    this.#server.forceShutdown();
    this.#sessions.clear();
  }

  #guarded(handler: Unary): Unary {
    return (call, callback) => {
      this.#calls++;
      if (this.#options.hangs === true) return;
      const { token } = this.#options;
      if (token !== undefined && call.metadata.get("authorization")[0] !== `Bearer ${token}`) {
        callback({ code: grpc.status.UNAUTHENTICATED, details: "the token is missing or wrong" });
      } else {
        handler(call, callback);
      }
    };
  }

  #handshake(): WireObject {
    return {
      protocol: 1,
      sdkVersion: "bare",
      locationName: "bare",
      team: "bare",
      buildId: "build",
      definitionsHash: manifestHash(this.#entries),
      instanceId: this.instanceId,
      pid: process.pid,
      ...this.#options.handshake,
    };
  }

  #manifest({ knownHash }: WireObject): WireObject {
    const definitionsHash = manifestHash(this.#entries);
    if (knownHash === definitionsHash) return { definitionsHash, unchanged: true, buildId: "build" };
    return { definitionsHash, buildId: "build", entries: this.#entries.map(({ entry }) => entry) };
  }

  #definitions(call: grpc.ServerWritableStream<WireObject, WireObject>): void {
    const hashes = call.request["hashes"] as string[];
    this.definitionCalls.push(hashes);
    for (const { hash, bytes } of this.#entries) {
      if (hash !== "" && hashes.includes(hash)) call.write({ definitions: [{ hash, definition: bytes }] });
    }
    call.end();
  }

  #session(call: SessionCall): void {
    this.#calls++;
    call.on("data", (request: WireObject) => {
      if (this.#options.mute === true) return;
      if (request["hello"] !== undefined) this.#hello(call, request["hello"] as WireObject);
      else this.#batch(call, request["batch"] as WireObject);
    });
    call.on("error", () => this.#sessions.delete(call));
    call.on("cancelled", () => this.#sessions.delete(call));
    call.on("end", () => {
      this.#sessions.delete(call);
      call.end();
    });
  }

  #hello(call: SessionCall, hello: WireObject): void {
    this.#sessions.add(call);
    const inFlight = hello["inFlight"] as { attemptId: string; sequence: number }[];
    this.helloPositions.push(...inFlight);
    const positions = new Map(inFlight.map(({ attemptId, sequence }) => [attemptId, sequence]));
    const held = [...this.attempts.values()].map(({ attemptId, runId, finished, sequence }) => ({
      attemptId,
      runId,
      finished,
      sequence,
    }));
    call.write({ welcome: { instanceId: this.instanceId, credits: 4, held } });
    for (const frame of this.#options.rawFrames ?? []) call.write(frame);
    const events = [...this.attempts.values()].flatMap((attempt) =>
      attempt.events.filter((event) => Number(event["sequence"]) > (positions.get(attempt.attemptId) ?? 0)),
    );
    if (events.length > 0) call.write({ batch: { events } });
  }

  #batch(call: SessionCall, batch: WireObject): void {
    for (const { attemptId, sequence } of batch["acknowledgements"] as { attemptId: string; sequence: number }[]) {
      const attempt = this.attempts.get(attemptId);
      if (attempt === undefined) continue;
      attempt.events = attempt.events.filter((event) => Number(event["sequence"]) > sequence);
      if (attempt.finished && attempt.events.length === 0) {
        this.attempts.delete(attemptId);
        this.#tombstones.add(attemptId);
      }
    }
    const events: WireObject[] = [];
    const refused: WireObject[] = [];
    for (const command of batch["commands"] as WireObject[]) {
      const attemptId = command["attemptId"] as string;
      this.commands.push(attemptId);
      if (this.#tombstones.has(attemptId)) refused.push({ attemptId, reason: "REASON_TOMBSTONED" });
      else if (!this.attempts.has(attemptId)) events.push(...this.#start(attemptId, command));
    }
    const heartbeat = batch["heartbeat"] ?? undefined;
    if (heartbeat !== undefined) this.#heartbeats++;
    if (events.length > 0 || refused.length > 0 || heartbeat) call.write({ batch: { events, refused, heartbeat } });
  }

  #start(attemptId: string, command: WireObject): WireObject[] {
    const said = (this.#options.compute ?? computeAndPass)(command);
    const events = said.map((event, n) => ({ attemptId, sequence: n + 1, atMs: Date.now(), ...event }));
    const finished = said.some((event) => event["finished"] !== undefined);
    const runId = command["runId"] as string;
    this.attempts.set(attemptId, { attemptId, runId, command, events: [...events], sequence: events.length, finished });
    return events;
  }
}

/** The service with a session that takes bytes as well as messages, to be able to send what no message is. */
function rawSession(definition: grpc.ServiceDefinition): grpc.ServiceDefinition {
  const session = definition["Session"] as grpc.MethodDefinition<WireObject, WireObject>;
  const serialize = session.responseSerialize;
  return {
    ...definition,
    Session: {
      ...session,
      responseSerialize: (value: WireObject | Buffer) => (Buffer.isBuffer(value) ? value : serialize(value)),
    },
  };
}

/** Encodes a SessionResponse by the .proto files; for frames that are then bent. */
export function encodeFrame(frame: WireObject): Buffer {
  return (service["Session"] as grpc.MethodDefinition<WireObject, WireObject>).responseSerialize(frame);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const flag = process.argv.indexOf("--port");
  const location = await startBareLocation({ port: flag < 0 ? 0 : Number(process.argv[flag + 1]) });
  console.log(JSON.stringify({ kind: "listening", port: location.port, instanceId: location.instanceId }));
  process.on("SIGTERM", () => void location.close().then(() => process.exit(0)));
}
