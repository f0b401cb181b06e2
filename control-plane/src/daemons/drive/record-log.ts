import type { AttemptReport } from "../../domain/attempt-report.ts";
import type { Attempt } from "./attempt.ts";
import type { Cycle } from "./cycle.ts";

/** Output stored of one attempt, at most. */
const logBytesMax = 16_777_216;
const tooMuchOutput = Buffer.from("\n[headgate: the attempt wrote more than 16 MiB; the rest is not kept]\n").toString(
  "base64",
);

/** Stores a piece of output, up to a bound for each attempt; what is beyond is counted. */
export function recordLog(cycle: Cycle, attempt: Attempt, report: Extract<AttemptReport, { kind: "log" }>): void {
  const { logs } = attempt;
  const fits = logs.storedBytes + report.body.length <= logBytesMax;
  if (fits) logs.storedBytes += report.body.length;
  else logs.droppedBytes += report.body.length + report.droppedBytes;
  if (!fits && logs.droppedBytes > report.body.length + report.droppedBytes) return;
  cycle.flush.logs.push({
    attemptId: attempt.id,
    sequence: report.sequence,
    stream: report.stream,
    atMs: report.atMs,
    body: fits ? report.body.toString("base64") : tooMuchOutput,
    droppedBytes: report.droppedBytes,
  });
}
