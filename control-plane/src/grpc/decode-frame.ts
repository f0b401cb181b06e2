import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import * as wire from "@headgate/proto";
import type { AttemptReport } from "../domain/attempt-report.ts";
import { exactText, isUuid, requiredText } from "./bounded-text.ts";
import { decodeReport, malformedReport } from "./decode-report.ts";
import { WireError, missingField, unknownEnum } from "./wire-error.ts";

/** An attempt that an instance holds: running, or finished and not acknowledged. */
export interface HeldAttempt {
  readonly attemptId: string;
  readonly runId: string;
  readonly finished: boolean;
  /** The last sequence number that the attempt has produced. */
  readonly sequence: number;
}

export interface Welcome {
  readonly instanceId: string;
  /** Steps that the instance takes at once from this session. */
  readonly credits: number;
  readonly held: readonly HeldAttempt[];
}

export interface RefusedCommand {
  readonly attemptId: string;
  readonly reason: "oldEpoch" | "tombstoned" | "noCapacity";
}

/** One frame from an instance, in the control plane's words. */
export type InboundFrame =
  | { readonly kind: "welcome"; readonly welcome: Welcome }
  | {
      readonly kind: "batch";
      readonly reports: readonly AttemptReport[];
      readonly credits: number | undefined;
      /** Empty: the definitions did not change. */
      readonly definitionsHash: string;
      readonly refused: readonly RefusedCommand[];
      /** Events that name no attempt: nobody's, dropped. */
      readonly unattributed: number;
    };

const creditsMax = 100_000;
const welcomeField = 1;
const batchField = 2;
const eventsField = 1;

/**
 * Reads a SessionResponse. Events are read one by one, so that one that is malformed (a number beyond 2^53, an unknown
 * enum value, bytes that are no message) costs its attempt and no other of the frame.
 *
 * @throws WireError if the frame itself cannot be read
 */
export function decodeFrame(bytes: Uint8Array): InboundFrame {
  let frame: InboundFrame | undefined;
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === welcomeField && type === WireType.LengthDelimited) {
        frame = { kind: "welcome", welcome: welcome(wire.SessionResponse_Welcome.decode(reader.bytes())) };
      } else if (field === batchField && type === WireType.LengthDelimited) {
        frame = batch(reader.bytes());
      } else {
        reader.skip(type, field);
      }
    }
  } catch (error) {
    if (error instanceof WireError) throw error;
    throw new WireError("wire.unreadable", `a frame of the session cannot be read: ${String(error)}`);
  }
  if (frame === undefined) throw missingField("the frame of a SessionResponse");
  return frame;
}

function welcome({ instanceId, credits, held }: wire.SessionResponse_Welcome): Welcome {
  return {
    instanceId: requiredText("instance_id", instanceId),
    credits: Math.min(credits, creditsMax),
    held: held
      .filter(({ attemptId, runId }) => isUuid(attemptId) && isUuid(runId))
      .map(({ attemptId, runId, finished, sequence }) => ({
        attemptId: attemptId.toLowerCase(),
        runId: runId.toLowerCase(),
        finished,
        sequence,
      })),
  };
}

function batch(bytes: Uint8Array): InboundFrame {
  const reports: AttemptReport[] = [];
  const rest: Uint8Array[] = [];
  let unattributed = 0;
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, type] = reader.tag();
    if (field === eventsField && type === WireType.LengthDelimited) {
      const report = decodeReport(reader.bytes());
      if (report === undefined) unattributed++;
      else reports.push(report);
    } else {
      reader.skip(type, field);
      rest.push(bytes.subarray(start, reader.pos));
    }
  }
  const { credits, definitionsHash, refused } = wire.SessionResponse_Batch.decode(Buffer.concat(rest));
  const understood: RefusedCommand[] = [];
  for (const { attemptId, reason } of refused) {
    const known = refusal(reason);
    if (!isUuid(attemptId)) unattributed++;
    else if (known !== undefined) understood.push({ attemptId: attemptId.toLowerCase(), reason: known });
    else reports.push(malformedReport(attemptId.toLowerCase(), 1, unknownEnum("the reason of a refusal", reason)));
  }
  return {
    kind: "batch",
    reports,
    credits: credits === undefined ? undefined : Math.min(credits, creditsMax),
    definitionsHash: exactText("definitions_hash", definitionsHash),
    refused: understood,
    unattributed,
  };
}

function refusal(reason: wire.RefusedCommand_Reason): RefusedCommand["reason"] | undefined {
  switch (reason) {
    case wire.RefusedCommand_Reason.REASON_OLD_EPOCH:
      return "oldEpoch";
    case wire.RefusedCommand_Reason.REASON_TOMBSTONED:
      return "tombstoned";
    case wire.RefusedCommand_Reason.REASON_NO_CAPACITY:
      return "noCapacity";
    case wire.RefusedCommand_Reason.REASON_UNSPECIFIED:
    case wire.RefusedCommand_Reason.UNRECOGNIZED:
      break;
  }
  // The generated code hands on numbers that it does not know as they are.
  return undefined;
}
