import * as wire from "@headgate/proto";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type {
  AttemptOutcome,
  AttemptReport,
  CheckReport,
  ComputedReport,
  FinishedReport,
  StepError,
} from "../domain/attempt-report.ts";
import type { ValueView } from "../domain/gate.ts";
import { boundedText, exactText, isUuid, nameText } from "./bounded-text.ts";
import { decodeMetadata } from "./decode-metadata.ts";
import { decodeStepError } from "./decode-step-error.ts";
import { WireError, missingField, unknownEnum } from "./wire-error.ts";

const descriptionLengthMax = 8_192;
const checksMax = 1_000;
const logBodySizeBytesMax = 1_048_576;
const timestampMsMax = 8.64e15;
const durationMsMax = 2_147_483_647;

/**
 * Reads one encoded AttemptEvent. One that is malformed costs its attempt alone: it becomes a `finished` report with
 * outcome `failed` and the error `report.malformed`, under its attempt id and sequence number. `undefined` if not even
 * the attempt can be read: then it is nobody's.
 */
export function decodeReport(bytes: Uint8Array): AttemptReport | undefined {
  try {
    const event = wire.AttemptEvent.decode(bytes);
    return isUuid(event.attemptId) ? attemptReport(event, bytes.length) : undefined;
  } catch (error) {
    const position = readPosition(bytes);
    return isUuid(position.attemptId) ? malformedReport(position.attemptId, position.sequence, error) : undefined;
  }
}

/** What stands for a report that cannot be read. */
export function malformedReport(attemptId: string, sequence: number, reason: unknown): AttemptReport {
  const wireError = reason instanceof WireError ? reason : new WireError("wire.unreadable", String(reason));
  const error: StepError = {
    code: "report.malformed",
    message: `The code location's report on this attempt cannot be read (${wireError.code}): ${wireError.message}.`,
    hint: wireError.hint,
  };
  const finished: FinishedReport = { outcome: "failed", checks: [], error, permanent: true };
  return { attemptId, sequence, atMs: 0, kind: "finished", finished };
}

/**
 * Attempt id and sequence number of an event of which the rest is unreadable. A sequence number that is unreadable
 * itself becomes the highest there is: the report then stands after everything that was stored of the attempt.
 */
function readPosition(bytes: Uint8Array): { attemptId: string; sequence: number } {
  let attemptId = "";
  let sequence = Number.MAX_SAFE_INTEGER;
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === 1 && type === WireType.LengthDelimited) attemptId = reader.string();
      else if (field === 2 && type === WireType.Varint) sequence = safeSequence(reader);
      else reader.skip(type, field);
    }
  } catch {
    // What was read before the unreadable part stands.
  }
  return { attemptId, sequence };
}

function safeSequence(reader: BinaryReader): number {
  const value = Number(reader.uint64());
  return value >= 1 && Number.isSafeInteger(value) ? value : Number.MAX_SAFE_INTEGER;
}

function attemptReport({ attemptId, sequence, atMs, event }: wire.AttemptEvent, sizeBytes: number): AttemptReport {
  if (sequence < 1) throw missingField("sequence");
  const head = { attemptId: attemptId.toLowerCase(), sequence, atMs: atMs <= timestampMsMax ? atMs : 0, sizeBytes };
  switch (event?.$case) {
    case "started":
      return { ...head, kind: "started" };
    case "computed":
      return { ...head, kind: "computed", computed: computedReport(event.value) };
    case "checkCompleted":
      return { ...head, kind: "check", check: checkReport(event.value) };
    case "log": {
      const body = Buffer.from(event.value.body);
      const kept = body.subarray(0, logBodySizeBytesMax);
      const droppedBytes = event.value.droppedBytes + body.length - kept.length;
      return { ...head, kind: "log", stream: logStream(event.value.stream), body: kept, droppedBytes };
    }
    case "finished":
      return { ...head, kind: "finished", finished: finishedReport(event.value) };
    case undefined:
      throw missingField("event");
  }
}

function logStream(stream: wire.LogStream): "stdout" | "stderr" | "log" {
  switch (stream) {
    case wire.LogStream.LOG_STREAM_STDOUT:
      return "stdout";
    case wire.LogStream.LOG_STREAM_STDERR:
      return "stderr";
    case wire.LogStream.LOG_STREAM_LOG:
      return "log";
    case wire.LogStream.LOG_STREAM_UNSPECIFIED:
    case wire.LogStream.UNRECOGNIZED:
      break;
  }
  // The generated code hands on numbers that it does not know as they are.
  throw unknownEnum("the stream of a log chunk", stream);
}

function computedReport(computed: wire.Computed): ComputedReport {
  return {
    value: valueView(computed.value),
    dataVersion: exactText("data_version", computed.dataVersion, 1_024),
    codeVersion: exactText("code_version", computed.codeVersion, 1_024),
    metadata: decodeMetadata(computed.metadata),
  };
}

function valueView(value: wire.ValueReference | undefined): ValueView | null {
  if (value === undefined || value.scheme === "") return null;
  return {
    scheme: exactText("the scheme of a value", value.scheme, 64),
    place: exactText("the place of a value", value.place, 4_096),
    mediaType: exactText("the media_type of a value", value.mediaType),
    digest: exactText("the digest of a value", value.digest),
    sizeBytes: value.sizeBytes,
  };
}

function checkReport(check: wire.CheckCompleted): CheckReport {
  if (check.checkVersion < 1 || check.checkVersion > 2_147_483_647) {
    throw new WireError("wire.out_of_range", `the check_version of ${check.name} is ${check.checkVersion}`);
  }
  return {
    name: nameText("the name of a check", check.name),
    checkVersion: check.checkVersion,
    outcome: checkOutcome(check.outcome),
    description: boundedText(check.description, descriptionLengthMax),
    metadata: decodeMetadata(check.metadata),
    ...(check.error === undefined ? {} : { error: decodeStepError(check.error) }),
  };
}

function checkOutcome(outcome: wire.CheckOutcome): CheckReport["outcome"] {
  switch (outcome) {
    case wire.CheckOutcome.CHECK_OUTCOME_PASSED:
      return "passed";
    case wire.CheckOutcome.CHECK_OUTCOME_WARNED:
      return "warned";
    case wire.CheckOutcome.CHECK_OUTCOME_FAILED:
      return "failed";
    case wire.CheckOutcome.CHECK_OUTCOME_ERRORED:
      return "errored";
    case wire.CheckOutcome.CHECK_OUTCOME_UNSPECIFIED:
    case wire.CheckOutcome.UNRECOGNIZED:
      break;
  }
  // The generated code hands on numbers that it does not know as they are.
  throw unknownEnum("the outcome of a check", outcome);
}

function finishedReport(finished: wire.Finished): FinishedReport {
  if (finished.checks.length > checksMax) {
    throw new WireError("wire.too_large", `checks has ${finished.checks.length} items, of at most ${checksMax}`);
  }
  return {
    outcome: attemptOutcome(finished.outcome),
    ...(finished.computed === undefined ? {} : { computed: computedReport(finished.computed) }),
    checks: finished.checks.map(checkReport),
    ...(finished.error === undefined ? {} : { error: decodeStepError(finished.error) }),
    ...(finished.retryAfterMs === undefined ? {} : { retryAfterMs: Math.min(finished.retryAfterMs, durationMsMax) }),
    permanent: finished.permanent,
  };
}

function attemptOutcome(outcome: wire.Outcome): AttemptOutcome {
  switch (outcome) {
    case wire.Outcome.OUTCOME_SUCCEEDED:
      return "succeeded";
    case wire.Outcome.OUTCOME_FAILED:
      return "failed";
    case wire.Outcome.OUTCOME_CANCELED:
      return "canceled";
    case wire.Outcome.OUTCOME_CRASHED:
      return "crashed";
    case wire.Outcome.OUTCOME_TIMED_OUT:
      return "timedOut";
    case wire.Outcome.OUTCOME_UNSPECIFIED:
    case wire.Outcome.UNRECOGNIZED:
      break;
  }
  // The generated code hands on numbers that it does not know as they are.
  throw unknownEnum("the outcome of an attempt", outcome);
}
