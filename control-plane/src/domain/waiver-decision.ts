import { type VersionView, judge } from "./gate.ts";
import { type AssetNode, type CheckNode, requiredChecks } from "./graph.ts";

export interface WaiverRequest {
  /** Absent: the one check that holds the gate closed. */
  readonly check?: string;
  /** Owner of the check; absent: the team of the asset. */
  readonly team?: string;
  readonly untilMs: number;
}

export type WaiverDecision =
  | { readonly kind: "accepted"; readonly check: CheckNode }
  | {
      readonly kind: "refused";
      readonly code: "waiver.not_needed" | "waiver.check_ambiguous" | "waiver.until_invalid" | "check.unknown";
      readonly message: string;
      readonly hint: string;
    };

const untilDaysMax = 366;

/** Whether this version may be accepted for this check: only where the check failed, errored or is pending for it. */
export function decideWaiver(
  node: AssetNode,
  version: VersionView,
  request: WaiverRequest,
  nowMs: number,
): WaiverDecision {
  if (request.untilMs <= nowMs || request.untilMs > nowMs + untilDaysMax * 86_400_000) {
    return refused(
      "waiver.until_invalid",
      "The waiver would end in the past or more than a year from now.",
      "Give an end between now and a year from now, for example 7d.",
    );
  }
  const team = request.team ?? node.team;
  const closing = judge(node.key, version, requiredChecks(node, team), nowMs).reasons.flatMap((reason) =>
    "check" in reason && reason.team === team ? [reason.check] : [],
  );
  if (request.check === undefined) {
    const [only, ...others] = closing;
    if (only === undefined)
      return refused(
        "waiver.not_needed",
        `No check of team ${team} holds this version of ${node.key} closed.`,
        `\`headgate why ${node.key}\` says what does.`,
      );
    if (others.length > 0) {
      return refused(
        "waiver.check_ambiguous",
        `${closing.length} checks of team ${team} hold this version of ${node.key} closed: ${closing.join(", ")}.`,
        "Each is accepted by itself: name one with --check.",
      );
    }
    return accepted(node, team, only);
  }
  if (!node.checks.some((check) => check.team === team && check.name === request.check)) {
    const known = node.checks.map((check) => (check.team === node.team ? check.name : `${check.team}:${check.name}`));
    return refused(
      "check.unknown",
      `Team ${team} has no check ${request.check} on ${node.key}.`,
      known.length === 0 ? "It has no checks." : `Its checks: ${known.join(", ")}.`,
    );
  }
  if (!closing.includes(request.check)) {
    return refused(
      "waiver.not_needed",
      `${request.check} does not hold this version of ${node.key} closed.`,
      closing.length === 0 ? "Its gate is open." : `What holds it closed: ${closing.join(", ")}.`,
    );
  }
  return accepted(node, team, request.check);
}

function accepted(node: AssetNode, team: string, name: string): WaiverDecision {
  const check = node.checks.find((candidate) => candidate.team === team && candidate.name === name);
  return check === undefined
    ? refused("check.unknown", `Team ${team} has no check ${name} on ${node.key}.`, "It was removed meanwhile.")
    : { kind: "accepted", check };
}

function refused(
  code: Extract<WaiverDecision, { kind: "refused" }>["code"],
  message: string,
  hint: string,
): WaiverDecision {
  return { kind: "refused", code, message, hint };
}

/** The event to record when a partition's newest version changes from `before` to `after`, if its gate moved. */
export function gateMove(
  node: AssetNode,
  before: VersionView | undefined,
  after: VersionView | undefined,
  readerTeam: string,
  nowMs: number,
): "gate_opened" | "gate_closed" | undefined {
  const required = requiredChecks(node, readerTeam);
  const isOpen = (version: VersionView | undefined) =>
    version !== undefined && judge(node.key, version, required, nowMs).open;
  const was = isOpen(before);
  const is = isOpen(after);
  if (was === is) return undefined;
  return is ? "gate_opened" : "gate_closed";
}
