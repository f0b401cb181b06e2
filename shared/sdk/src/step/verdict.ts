import type { CheckCompleted, StepError } from "@headgate/proto";
import { CheckOutcome } from "@headgate/proto";
import { cleanText } from "@headgate/model";
import type { CheckResult, CheckSeverity } from "../asset-check.ts";
import { checkSizeBytesMax, metadataEntries } from "./metadata-entries.ts";
import type { Redaction } from "./redaction.ts";

const descriptionLengthMax = 4_096;

/** What a verdict needs to know of its check. */
export interface JudgedCheck {
  readonly name: string;
  readonly version?: number | undefined;
  readonly severity?: CheckSeverity | undefined;
}

/** A result as it is reported: cleaned, secrets struck out. */
export function verdict(redaction: Redaction, check: JudgedCheck, result: CheckResult): CheckCompleted {
  const severity = result.severity ?? check.severity ?? "ERROR";
  const failing = severity === "WARN" ? CheckOutcome.CHECK_OUTCOME_WARNED : CheckOutcome.CHECK_OUTCOME_FAILED;
  const description = cleanText(redaction.apply(String(result.description ?? "")));
  return {
    name: check.name,
    checkVersion: check.version ?? 1,
    outcome: result.passed ? CheckOutcome.CHECK_OUTCOME_PASSED : failing,
    description: cleanText(description.slice(0, descriptionLengthMax)),
    metadata: metadataEntries(result.metadata ?? {}, redaction, checkSizeBytesMax),
    error: undefined,
  };
}

/** What is reported of a check that reached no verdict, and why. */
export function errored(check: Pick<JudgedCheck, "name" | "version">, error: StepError): CheckCompleted {
  return {
    name: check.name,
    checkVersion: check.version ?? 1,
    outcome: CheckOutcome.CHECK_OUTCOME_ERRORED,
    description: "",
    metadata: [],
    error,
  };
}
