import type * as wire from "@headgate/proto";
import { cleanText } from "@headgate/model";
import { type EvaluationAnswer, type EvaluationLog, type RequestedRun, requestsMax } from "../domain/evaluation.ts";
import { assetKeyText, boundedText, exactText, nameText, requiredText } from "./bounded-text.ts";
import { parseCleanJson } from "./clean-json.ts";
import { decodeStepError } from "./decode-step-error.ts";
import { bounded } from "./wire-bounds.ts";
import { WireError } from "./wire-error.ts";

const cursorSizeBytesMax = 65_536;
const logSizeBytesMax = 65_536;
const configLengthMax = 65_536;
const partitionsLengthMax = 65_536;
const addedKeysMax = 10_000;
const skipReasonLengthMax = 1_024;

/** What a location says that an evaluation came to. An answer that cannot be read is a failure of its sensor. */
export function decodeEvaluation(response: wire.EvaluateResponse): EvaluationAnswer {
  const log = evaluationLog(response);
  if (response.error !== undefined) return { kind: "failed", error: decodeStepError(response.error), log };
  try {
    const addPartitions = bounded("add_partitions", response.addPartitions, addedKeysMax).map(({ set, keys }) => ({
      set: nameText("the set of add_partitions", set),
      keys: bounded("the keys of add_partitions", keys, addedKeysMax).map((key) => requiredText("a partition", key)),
    }));
    const { cursor } = response;
    return {
      kind: "answered",
      requests: bounded("requests", response.requests, requestsMax).map(requestedRun),
      addPartitions,
      cursor: cursor === undefined ? undefined : cursorText(cursor),
      skipReason: boundedText(response.skipReason, skipReasonLengthMax),
      log,
    };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const { code, message, hint } = error;
    return { kind: "failed", error: { code, message, hint }, log };
  }
}

function requestedRun({ runKey, targets, partitions, config, tags }: wire.RunRequest): RequestedRun {
  return {
    ...(runKey === "" ? {} : { runKey: exactText("a run key", runKey) }),
    targets: bounded("the targets of a request", targets).map((target) => assetKeyText("a target", target)),
    partitions: exactText("partitions of a request", partitions, partitionsLengthMax),
    config: configOf(config),
    tags: Object.fromEntries(
      bounded("tags of a request", Object.entries(tags), 50).map(([name, value]) => [
        requiredText("a tag's name", name),
        exactText(`the tag ${name}`, value),
      ]),
    ),
  };
}

function configOf(text: string): Record<string, unknown> {
  if (text === "") return {};
  const parsed = parseCleanJson(exactText("config of a request", text, configLengthMax))?.value;
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw new WireError("wire.invalid_text", "config of a request is no JSON object, or is nested too deep");
}

/** Checked to be JSON, and kept as it is: its sensor reads the text that it wrote. */
function cursorText(text: string): string {
  if (Buffer.byteLength(text) > cursorSizeBytesMax) {
    throw new WireError("wire.too_large", `the cursor has more than ${cursorSizeBytesMax} bytes`);
  }
  const parsed = parseCleanJson(text);
  if (parsed === undefined) throw new WireError("wire.invalid_text", "the cursor is not JSON, or is nested too deep");
  return JSON.stringify(parsed.value);
}

function evaluationLog({ logs, droppedBytes }: wire.EvaluateResponse): EvaluationLog {
  const body = Buffer.concat(logs.map((log) => log.body));
  const kept = body.subarray(0, logSizeBytesMax);
  return { text: cleanText(kept.toString("utf8")), droppedBytes: droppedBytes + body.length - kept.length };
}
