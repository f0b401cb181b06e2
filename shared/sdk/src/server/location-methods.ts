import { createHash, timingSafeEqual } from "node:crypto";
import type { ServerDuplexStream, ServerErrorResponse } from "@grpc/grpc-js";
import { Metadata, status } from "@grpc/grpc-js";
import type { CodeLocationServer, SessionRequest, SessionResponse } from "@headgate/proto";
import { sdkVersion } from "../sdk-version.ts";
import type { Instance } from "./instance.ts";
import { definitionBatches } from "./manifest.ts";
import type { ServedCode } from "./served-code.ts";
import type { Session } from "./session.ts";

/** The versions of the protocol that this SDK speaks. */
const protocolMin = 1;
const protocolMax = 2;
/** From which on a control plane knows schedules and sensors. */
const protocolOfAutomations = 2;

export interface LocationIdentity {
  readonly locationName: string;
  /** Undefined: as the definitions say. */
  readonly team: string | undefined;
  /** Undefined: every caller is welcome. */
  readonly token: string | undefined;
}

/** The methods of headgate.v1.CodeLocation. */
export function locationMethods(identity: LocationIdentity, code: ServedCode, instance: Instance): CodeLocationServer {
  const expected = identity.token === undefined ? undefined : digestOf(`Bearer ${identity.token}`);
  const authorized = (metadata: Metadata): ServerErrorResponse | undefined => {
    // Digests are of one length, and how much of them agrees says nothing of the token.
    const given = digestOf(String(metadata.get("authorization")[0]));
    if (expected === undefined || timingSafeEqual(given, expected)) return undefined;
    const details = "This location asks for a token: send `authorization: Bearer <token>`.";
    return { name: "Unauthenticated", message: details, code: status.UNAUTHENTICATED, details };
  };
  return {
    handshake: ({ request, metadata }, callback) => {
      const refused = authorized(metadata);
      if (refused) return callback(refused);
      const protocol = Math.min(protocolMax, request.protocolMax);
      const needed = code.hasAutomations ? protocolOfAutomations : protocolMin;
      const isCommon = protocol >= Math.max(needed, request.protocolMin);
      callback(null, {
        protocol: isCommon ? protocol : 0,
        refusal: isCommon ? "" : protocolRefusal(needed, request.protocolMin, request.protocolMax),
        sdkVersion,
        locationName: identity.locationName,
        team: identity.team ?? code.team,
        buildId: code.buildId,
        definitionsHash: code.manifest?.hash ?? "",
        instanceId: instance.id,
        pid: process.pid,
      });
    },
    getManifest: ({ request, metadata }, callback) => {
      const refused = authorized(metadata);
      if (refused) return callback(refused);
      const definitionsHash = code.manifest?.hash ?? "";
      const unchanged = definitionsHash !== "" && request.knownHash === definitionsHash;
      const entries = unchanged ? [] : [...(code.manifest?.entries ?? [])];
      callback(null, { definitionsHash, unchanged, entries, buildId: code.buildId });
    },
    getDefinitions: (call) => {
      const refused = authorized(call.metadata);
      if (refused) return void call.emit("error", refused);
      const encoded = code.manifest?.encoded;
      const wanted = call.request.hashes.flatMap((hash) => encoded?.get(hash) ?? []);
      for (const definitions of definitionBatches(wanted)) call.write({ definitions });
      call.end();
    },
    publish: (call, callback) => {
      const refused = authorized(call.metadata);
      if (refused) return callback(refused);
      const gone = new AbortController();
      call.on("cancelled", () => gone.abort());
      void instance.publish(call.request, gone.signal).then((outcome) => {
        if (outcome.kind !== "busy") callback(null, { error: outcome.kind === "failed" ? outcome.error : undefined });
        else callback({ code: status.RESOURCE_EXHAUSTED, details: "No worker process was free in time." });
      });
    },
    evaluate: (call, callback) => {
      const refused = authorized(call.metadata);
      if (refused) return callback(refused);
      const gone = new AbortController();
      call.on("cancelled", () => gone.abort());
      void instance.evaluate(call.request, gone.signal).then((outcome) => {
        if (outcome.kind === "answered") callback(null, outcome.response);
        else callback({ code: status.RESOURCE_EXHAUSTED, details: "No worker process was free in time." });
      });
    },
    session: (call) => {
      const refused = authorized(call.metadata);
      if (refused) call.emit("error", refused);
      else serveSession(instance, call);
    },
  };
}

function protocolRefusal(needed: number, callerMin: number, callerMax: number): string {
  const why = needed === protocolOfAutomations ? "defines schedules or sensors and " : "";
  const ours = `This location ${why}speaks protocol ${needed} to ${protocolMax} (SDK ${sdkVersion})`;
  const older = callerMin > protocolMax ? "update the location's SDK" : "update the control plane";
  return `${ours}, the caller ${callerMin} to ${callerMax}: ${older}.`;
}

function serveSession(instance: Instance, call: ServerDuplexStream<SessionRequest, SessionResponse>): void {
  let session: Session | undefined;
  const fail = (code: status, details: string) => call.emit("error", { code, details, metadata: new Metadata() });
  call.on("data", ({ frame }: SessionRequest) => {
    switch (frame?.$case) {
      case "hello":
        if (session !== undefined) return fail(status.INVALID_ARGUMENT, "`hello` is the first frame and no other.");
        session = instance.open(frame.value, {
          write: (message) => call.write(message),
          end: () => call.end(),
        });
        if (session === undefined) fail(status.FAILED_PRECONDITION, "A newer session of this daemon is open.");
        return;
      case "batch":
        if (session === undefined) return fail(status.INVALID_ARGUMENT, "The first frame must be `hello`.");
        if (session.isOpen) instance.receive(session, frame.value);
        return;
      case undefined:
        return fail(status.INVALID_ARGUMENT, "A frame of an unknown kind: the caller speaks another protocol.");
    }
  });
  call.on("drain", () => session?.drained());
  const over = () => session && instance.closed(session);
  call.on("end", over);
  call.on("close", over);
  call.on("error", over);
  call.on("cancelled", over);
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
