import type { VersionView } from "./gate.ts";
import type { AssetNode, CheckNode } from "./graph.ts";

/*
 * What may be reported of an external asset, and what becomes of it. A materialization is a new version. An observation
 * is one, without a value, if it says another data version than the newest. An unversioned asset has one version that
 * stands for whatever is there: an observation says that it may have changed, so that it is checked again.
 */

export interface AssetReport {
  readonly kind: "materialization" | "observation";
  /** Absent: derived by the caller for a materialization. */
  readonly dataVersion?: string | undefined;
  readonly hasValue: boolean;
}

export interface ReportRefusal {
  readonly kind: "refused";
  readonly code:
    | "asset.not_external"
    | "asset.retired"
    | "asset.unversioned"
    | "check.unknown"
    | "check.not_reported"
    | "report.value_required"
    | "report.data_version_required";
  readonly message: string;
  readonly hint: string;
}

export type ReportDecision =
  | { readonly kind: "version"; readonly dataVersion: string | undefined }
  /** Nothing new: `version` stands. With `recheck` its checks are to run again. */
  | { readonly kind: "known"; readonly version: VersionView; readonly recheck: boolean }
  | ReportRefusal;

/** The data version of the one version of an unversioned asset. */
const unversionedDataVersion = "unversioned";

/** @param newest the newest version of the partition that is not discarded */
export function decideReport(node: AssetNode, report: AssetReport, newest: VersionView | undefined): ReportDecision {
  const refusal = refusedReport(node);
  if (refusal !== undefined) return refusal;
  const { dataVersion } = report;
  if (node.definition.external?.unversioned === true) {
    if (report.kind === "materialization") {
      const hint = "Report an observation: its checks run again then.";
      return refused("asset.unversioned", `${node.key} is unversioned: it has no versions to report.`, hint);
    }
    if (dataVersion !== undefined) {
      const hint = "Leave the data version out, or declare the asset without `unversioned`.";
      return refused("asset.unversioned", `${node.key} is unversioned: it has no data versions.`, hint);
    }
    if (newest !== undefined) return { kind: "known", version: newest, recheck: true };
    return { kind: "version", dataVersion: unversionedDataVersion };
  }
  if (report.kind === "observation" && dataVersion === undefined) {
    const hint = "Say which data was seen: a digest, an ETag, a modification time.";
    return refused("report.data_version_required", `The observation of ${node.key} says no data version.`, hint);
  }
  if (report.kind === "observation" && newest?.dataVersion === dataVersion && newest !== undefined) {
    return { kind: "known", version: newest, recheck: false };
  }
  if (node.definition.external?.hasValue === true && !report.hasValue) {
    const hint = "Report a materialization with `value`, or declare the asset without `value`.";
    return refused("report.value_required", `${node.key} declares a value, and this report has none.`, hint);
  }
  return { kind: "version", dataVersion };
}

/** The check that a result may be reported for. */
export function decideResult(
  node: AssetNode,
  team: string,
  name: string,
): { readonly kind: "accepted"; readonly check: CheckNode } | ReportRefusal {
  const refusal = refusedReport(node);
  if (refusal !== undefined) return refusal;
  const check = node.checks.find((candidate) => candidate.team === team && candidate.name === name);
  if (check === undefined) {
    const known = node.checks.map((c) => (c.team === node.team ? c.name : `${c.team}:${c.name}`)).join(", ");
    const hint = known === "" ? "It has no checks." : `Its checks: ${known}.`;
    return refused("check.unknown", `Team ${team} has no check ${name} on ${node.key}.`, hint);
  }
  if (check.definition.reportedBy === "api") return { kind: "accepted", check };
  const message = `The check ${name} of ${node.key} is run by code location ${check.location}; its results are not reported.`;
  return refused("check.not_reported", message, `npx headgate check run ${node.key} ${name}`);
}

function refusedReport(node: AssetNode): ReportRefusal | undefined {
  if (node.retired) {
    const message = `${node.key} is retired: ${node.location} no longer defines it.`;
    return refused("asset.retired", message, `Define it in ${node.location} again.`);
  }
  if (node.definition.external !== undefined) return undefined;
  const hint = "Only what externalAsset({ ... }) declares takes reports; `npx headgate materialize` makes this one.";
  return refused("asset.not_external", `${node.key} is computed by ${node.location}, not reported.`, hint);
}

function refused(code: ReportRefusal["code"], message: string, hint: string): ReportRefusal {
  return { kind: "refused", code, message, hint };
}
