import { createHash } from "node:crypto";
import { type ClientUnaryCall, Metadata, type ServiceError, credentials, status } from "@grpc/grpc-js";
import { CodeLocationClient, CodeLocationService, type GetDefinitionsResponse } from "@headgate/proto";
import type { StepError, VersionReference } from "../domain/attempt-report.ts";
import type { Evaluation, EvaluationAnswer } from "../domain/evaluation.ts";
import type { Manifest, ReceivedDefinition } from "../domain/manifest.ts";
import { boundedText } from "./bounded-text.ts";
import { decodeDefinition, decodeManifestEntry } from "./decode-definition.ts";
import { decodeEvaluation } from "./decode-evaluation.ts";
import { decodeStepError } from "./decode-step-error.ts";
import { encodeVersion } from "./encode.ts";
import { LocationError, callFailed } from "./location-error.ts";
import {
  LocationSession,
  type Session,
  type SessionHandlers,
  type SessionHello,
  type SessionTiming,
} from "./session.ts";
import type { TlsMaterial } from "./tls-files.ts";
import { WireError } from "./wire-error.ts";

/** The versions of the protocol that this control plane speaks. */
const protocolMin: number = 1;
const protocolMax: number = 2;
const messageSizeBytesMax = 16 * 1_048_576;
const entriesMax = 100_000;
const definitionsSizeBytesMax = 64 * 1_048_576;
const hashesPerCall = 10_000;
const definitionsDeadlineMs = 60_000;
/** A location ends what takes too long by itself, and says so. */
const publishGraceMs = 5_000;
/** A location lets an evaluation wait for a worker process for 10 s, and takes 2 s to end one. */
const evaluationGraceMs = 15_000;

export interface LocationAddress {
  /** "host:port". */
  readonly address: string;
  /** Identifies the daemon's incarnation. */
  readonly daemonId: string;
  /** Sent as `authorization: Bearer`. */
  readonly token?: string;
  /** PEM. Absent: no TLS. `cert` and `key` together: the location can ask who calls. */
  readonly tls?: TlsMaterial;
  /** Of calls that ask one thing; default 10,000. */
  readonly deadlineMs?: number;
  readonly sessionTiming?: SessionTiming;
}

/** A version to be shown to readers outside. */
export interface Publication {
  readonly asset: string;
  readonly version: VersionReference;
  /** Then it is aborted in the location. */
  readonly timeoutMs: number;
}

export interface Handshake {
  readonly sdkVersion: string;
  /** As the location calls itself; the workspace file decides. */
  readonly locationName: string;
  readonly team: string;
  readonly buildId: string;
  readonly definitionsHash: string;
  /** Identifies the process. */
  readonly instanceId: string;
  readonly pid: number;
}

/** One code location as the control plane sees it. Every method throws `LocationError`. */
export interface LocationClient {
  /** @throws LocationError `location.protocol_mismatch` if there is no common version */
  handshake(): Promise<Handshake>;
  /** `undefined`: it is still the one with `knownHash`. */
  manifest(knownHash: string): Promise<Manifest | undefined>;
  /**
   * By hash, each verified against it. A hash that the location does not have (any more) is missing from the answer.
   */
  definitions(hashes: readonly string[]): Promise<Map<string, ReceivedDefinition>>;
  /**
   * Has the IO manager of an asset show a version to readers outside; harmless to ask twice. Answers why it could not.
   *
   * @throws LocationError `location.busy` if no worker process was free in time
   */
  publish(publication: Publication, signal: AbortSignal): Promise<StepError | undefined>;
  /**
   * Evaluates a sensor. It changes nothing by itself, so asking twice is harmless.
   *
   * @throws LocationError `location.busy` if no worker process was free in time, `location.cannot_evaluate` if the
   *   location knows no evaluations
   */
  evaluate(evaluation: Evaluation, signal: AbortSignal): Promise<EvaluationAnswer>;
  openSession(hello: SessionHello, handlers: SessionHandlers): Session;
  /** Cancels what is under way; a session goes on until it is closed itself. */
  close(): void;
}

/** Nothing is dialled before the first call. */
export function connectLocation(location: LocationAddress): LocationClient {
  return new GrpcLocationClient(location);
}

class GrpcLocationClient implements LocationClient {
  readonly #location: LocationAddress;
  readonly #client: CodeLocationClient;
  readonly #metadata = new Metadata();
  readonly #calls = new Set<{ cancel(): void }>();

  constructor(location: LocationAddress) {
    this.#location = location;
    const { tls, token } = location;
    const channel = tls
      ? credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null)
      : credentials.createInsecure();
    this.#client = new CodeLocationClient(location.address, channel, {
      "grpc.max_receive_message_length": messageSizeBytesMax,
      "grpc.max_send_message_length": messageSizeBytesMax,
      "grpc.keepalive_time_ms": 20_000,
      "grpc.keepalive_timeout_ms": 10_000,
      // A connection of its own, so that one that hangs delays nobody else, and no proxy between.
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_http_proxy": 0,
      "grpc.enable_retries": 0,
    });
    if (token !== undefined) this.#metadata.set("authorization", `Bearer ${token}`);
  }

  async handshake(): Promise<Handshake> {
    const request = { protocolMin, protocolMax, daemonId: this.#location.daemonId };
    const answer = await this.#unary("the handshake", this.#client.handshake.bind(this.#client), request);
    if (answer.protocol < protocolMin || answer.protocol > protocolMax) {
      const said = answer.refusal === "" ? "" : `: ${boundedText(answer.refusal, 1_000)}`;
      const range =
        protocolMin === protocolMax ? `version ${protocolMin}` : `versions ${protocolMin} to ${protocolMax}`;
      const message = `${this.#location.address} (SDK ${boundedText(answer.sdkVersion, 100) || "unknown"}) does not speak ${range} of the protocol${said}`;
      throw new LocationError("location.protocol_mismatch", message);
    }
    if (answer.refusal !== "") {
      throw new LocationError("location.refused", `${this.#location.address}: ${boundedText(answer.refusal, 1_000)}`);
    }
    if (answer.instanceId === "") {
      throw new LocationError("location.refused", `${this.#location.address} gives no instance_id in its handshake`);
    }
    return {
      sdkVersion: boundedText(answer.sdkVersion, 255),
      locationName: boundedText(answer.locationName, 255),
      team: boundedText(answer.team, 255),
      buildId: boundedText(answer.buildId, 255),
      definitionsHash: boundedText(answer.definitionsHash, 255),
      instanceId: boundedText(answer.instanceId, 255),
      pid: answer.pid,
    };
  }

  async manifest(knownHash: string): Promise<Manifest | undefined> {
    const answer = await this.#unary("the manifest", this.#client.getManifest.bind(this.#client), { knownHash });
    if (answer.unchanged && knownHash !== "") return undefined;
    if (answer.entries.length > entriesMax) {
      throw this.#refused(`lists ${answer.entries.length} definitions, of at most ${entriesMax}`);
    }
    if (answer.definitionsHash === "") throw this.#refused("sent a manifest without a hash");
    try {
      return {
        definitionsHash: boundedText(answer.definitionsHash, 255),
        buildId: boundedText(answer.buildId, 255),
        entries: answer.entries.map(decodeManifestEntry),
      };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw this.#refused(`sent a manifest that cannot be read (${error.code}): ${error.message}`, error.hint);
    }
  }

  async definitions(hashes: readonly string[]): Promise<Map<string, ReceivedDefinition>> {
    const received = new Map<string, ReceivedDefinition>();
    let sizeBytes = 0;
    for (let start = 0; start < hashes.length; start += hashesPerCall) {
      const asked = hashes.slice(start, start + hashesPerCall);
      const wanted = new Set(asked);
      await this.#definitionsCall(asked, (response) => {
        for (const { hash, definition } of response.definitions) {
          sizeBytes += definition.length;
          if (sizeBytes > definitionsSizeBytesMax) {
            throw this.#refused(`sends more than ${definitionsSizeBytesMax} bytes of definitions`);
          }
          if (wanted.has(hash)) received.set(hash, verified(hash, definition));
        }
      });
    }
    return received;
  }

  async publish({ asset, version, timeoutMs }: Publication, signal: AbortSignal): Promise<StepError | undefined> {
    const { address } = this.#location;
    const request = { assetKey: asset, version: encodeVersion(version), timeoutMs };
    const call = this.#client.publish.bind(this.#client);
    try {
      const { error } = await this.#unary("to publish", call, request, timeoutMs + publishGraceMs, signal);
      return error && decodeStepError(error);
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as Partial<ServiceError>;
      if (code !== status.RESOURCE_EXHAUSTED) throw error;
      throw new LocationError("location.busy", `no worker process of ${address} was free in time`, { cause: error });
    }
  }

  async evaluate({ sensor, cursor, timeoutMs, nowMs }: Evaluation, signal: AbortSignal): Promise<EvaluationAnswer> {
    const { address } = this.#location;
    const evaluated = { $case: "sensor", value: { name: sensor, cursor } } as const;
    const call = this.#client.evaluate.bind(this.#client);
    const deadlineMs = timeoutMs + evaluationGraceMs;
    try {
      const request = { timeoutMs, nowMs, evaluated };
      return decodeEvaluation(await this.#unary("an evaluation", call, request, deadlineMs, signal));
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as Partial<ServiceError>;
      if (code === status.RESOURCE_EXHAUSTED) {
        throw new LocationError("location.busy", `no worker process of ${address} was free in time`, { cause: error });
      }
      if (code !== status.UNIMPLEMENTED) throw error;
      const message = `${address} lists the sensor ${sensor} and does not serve Evaluate`;
      throw new LocationError("location.cannot_evaluate", message, { cause: error });
    }
  }

  openSession(hello: SessionHello, handlers: SessionHandlers): Session {
    // Frames are encoded and decoded by the session itself, so that one malformed event does not cost the stream.
    const asTheyAre = (bytes: Buffer) => bytes;
    const { path } = CodeLocationService.session;
    const stream = this.#client.makeBidiStreamRequest(path, asTheyAre, asTheyAre, this.#metadata);
    return new LocationSession(stream, this.#location.address, hello, handlers, this.#location.sessionTiming);
  }

  close(): void {
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }

  #unary<Request, Response>(
    what: string,
    call: (
      request: Request,
      metadata: Metadata,
      options: { deadline: number },
      callback: (error: ServiceError | null, response: Response) => void,
    ) => ClientUnaryCall,
    request: Request,
    deadlineMs = this.#location.deadlineMs ?? 10_000,
    signal?: AbortSignal,
  ): Promise<Response> {
    const { address, tls } = this.#location;
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + deadlineMs };
      const cancel = () => asked.cancel();
      const asked = call(request, this.#metadata, options, (error, response) => {
        this.#calls.delete(asked);
        signal?.removeEventListener("abort", cancel);
        if (error === null) resolve(response);
        else reject(callFailed(address, what, error, tls !== undefined));
      });
      this.#calls.add(asked);
      signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  async #definitionsCall(
    hashes: readonly string[],
    onResponse: (response: GetDefinitionsResponse) => void,
  ): Promise<void> {
    const { address, tls, deadlineMs = 10_000 } = this.#location;
    const deadline = Date.now() + Math.max(definitionsDeadlineMs, deadlineMs);
    const stream = this.#client.getDefinitions({ hashes: [...hashes] }, this.#metadata, { deadline });
    // A stream that goes quiet is given up long before the deadline of the whole.
    this.#calls.add(stream);
    const quiet = setTimeout(() => {
      stream.destroy(new LocationError("location.timed_out", `${address} stopped sending definitions`));
    }, deadlineMs);
    try {
      for await (const response of stream) {
        quiet.refresh();
        onResponse(response as GetDefinitionsResponse);
      }
    } catch (error) {
      throw callFailed(address, "the definitions", error, tls !== undefined);
    } finally {
      clearTimeout(quiet);
      this.#calls.delete(stream);
      stream.cancel();
    }
  }

  #refused(message: string, hint?: string): LocationError {
    return new LocationError(
      "location.refused",
      `${this.#location.address} ${message}`,
      hint === undefined ? {} : { hint },
    );
  }
}

function verified(hash: string, bytes: Uint8Array): ReceivedDefinition {
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual === hash) return decodeDefinition(bytes);
  return {
    ok: false,
    error: {
      code: "definition.hash_mismatch",
      message: `The definition that was sent as ${hash} has the hash ${actual}.`,
      hint: "The code location breaks the protocol: a definition's hash is the SHA-256 of its encoded bytes.",
    },
  };
}
