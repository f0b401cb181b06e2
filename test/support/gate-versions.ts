import type { AssetKey } from "@headgate/model";
import type { GateView, ResultView, VersionView, WaiverView } from "../../control-plane/src/domain/gate.ts";

/** A version with nothing known of it but what is given. */
export function versionOf(id: string, seq: number, more: Partial<VersionView> = {}): VersionView {
  return {
    id,
    seq,
    partition: "",
    runId: `run-of-${id}`,
    createdAtMs: seq,
    dataVersion: id,
    codeVersion: "1",
    value: null,
    metadata: [],
    waivers: [],
    results: [],
    liveWaivers: [],
    ...more,
  };
}

export function resultOf(check: string, outcome: ResultView["outcome"], more: Partial<ResultView> = {}): ResultView {
  const [team = "", name = ""] = check.split(":");
  return {
    id: `${check}-${outcome}`,
    team,
    name,
    checkVersion: 1,
    outcome,
    runId: "run",
    seq: 1,
    description: `${name} says ${outcome}`,
    metadata: [],
    ...more,
  };
}

export function waiverOf(check: string, untilMs: number): WaiverView {
  const [team = "", name = ""] = check.split(":");
  return { id: `waiver-of-${check}`, team, name, reason: "known", actor: "ada", untilMs };
}

/** A reader of these versions: "team/asset" or "team/asset partition" to versions, newest first. */
export function viewOf(versions: Readonly<Record<string, readonly VersionView[]>>): GateView {
  return {
    versions: (asset: AssetKey, partition: string) =>
      versions[partition === "" ? asset : `${asset} ${partition}`] ?? [],
  };
}
