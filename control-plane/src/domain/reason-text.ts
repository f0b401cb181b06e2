import type { Reason } from "./reason.ts";

/*
 * Words for reasons, in one place: the API puts them into its answers, and the command line and the web show those.
 */

/** Something to do about a closed gate: what it is for, and the command that does it, ready to paste ("" if none does). */
export interface Remedy {
  readonly purpose: string;
  readonly command: string;
}

/** One sentence without a full stop that names everything in the reason but the version and the run. */
export function reasonText(reason: Reason): string {
  const about = partitionText(reason.asset, reason.partition);
  switch (reason.kind) {
    case "neverMaterialized":
      return `${about} has never been ${reason.external === true ? "reported" : "materialized"}`;
    case "pending":
      return `${about}: check ${checkText(reason)} has not ${reason.reportedBy === undefined ? "ended" : "been reported"} yet`;
    case "checkNotRun":
      return `${about}: check ${checkText(reason)} has not been ${reason.reportedBy === undefined ? "run on" : "reported for"} its newest version`;
    case "checkFailed":
      return `${about}: check ${checkText(reason)} failed${detailText(reason.description, figuresText(reason.metadata))}`;
    case "checkErrored":
      return `${about}: check ${checkText(reason)} reached no verdict${detailText(reason.description, "")}`;
    case "noValidatedVersion":
      return `${about}: ${reason.open} of the ${reason.needed} partitions needed have an open version`;
    case "locationUnreachable":
      return `${about}: code location ${reason.location} cannot be reached`;
    case "notExported":
      return `${about} is not exported to the team of ${reason.reader}`;
  }
}

/** What would open the gate, most helpful first and each command once, for `reasons` about whatever holds it closed. */
export function remedies(reasons: readonly Reason[]): readonly Remedy[] {
  const byCommand = new Map<string, Remedy>();
  for (const reason of reasons) {
    for (const remedy of remediesOf(reason)) {
      const identity = remedy.command === "" ? remedy.purpose : remedy.command;
      if (!byCommand.has(identity)) byCommand.set(identity, remedy);
    }
  }
  return [...byCommand.values()];
}

function remediesOf(reason: Reason): readonly Remedy[] {
  const target = `${reason.asset}${partitionOption(reason.partition)}`;
  switch (reason.kind) {
    case "neverMaterialized":
      return reason.external === true
        ? [report(reason, "report what is missing")]
        : [{ purpose: "materialize what is missing", command: `npx headgate materialize ${target}` }];
    case "pending":
    case "checkNotRun":
      return [reachVerdict(reason), waive(reason)];
    case "checkFailed":
      return [
        reason.external === true
          ? report(reason, "after the data is mended, report it again")
          : {
              purpose: "after the data or the code is mended, materialize it again",
              command: `npx headgate materialize ${target}`,
            },
        waive(reason),
        ...readLogs(reason),
      ];
    case "checkErrored":
      return [reachVerdict(reason), waive(reason), ...readLogs(reason)];
    case "noValidatedVersion":
      return [{ purpose: "see which partitions are closed", command: `npx headgate asset show ${reason.asset}` }];
    case "locationUnreachable":
      return [
        { purpose: "see why it cannot be reached", command: `npx headgate location show ${reason.location}` },
        { purpose: "connect again once it runs", command: `npx headgate location reload ${reason.location}` },
      ];
    case "notExported":
      return [{ purpose: `ask the owner of ${reason.asset} to export it in its asset spec`, command: "" }];
  }
}

type CheckReason = Extract<Reason, { readonly check: string }>;

/** What brings a result: a check that its location runs can be run again, what compute or others report cannot. */
function reachVerdict(reason: CheckReason): Remedy {
  if (reason.reportedBy === "compute") {
    return {
      purpose: "compute reports this check, with the version that it makes: materialize it again",
      command: `npx headgate materialize ${reason.asset}${partitionOption(reason.partition)}`,
    };
  }
  const does = reason.reportedBy === "api" ? "report" : "run";
  return {
    purpose: does === "run" ? "run the check on that version" : "report the result of the check for that version",
    command: `npx headgate check ${does} ${reason.asset} ${checkText(reason)} --version ${reason.version}${does === "run" ? "" : ' --outcome "passed, warned or failed"'}`,
  };
}

function report(reason: Reason, purpose: string): Remedy {
  return { purpose, command: `npx headgate asset report ${reason.asset}${partitionOption(reason.partition)}` };
}

function waive(reason: CheckReason): Remedy {
  return {
    purpose: `accept that version for 7 days, as team ${reason.team}`,
    command: `npx headgate waive ${reason.asset}@${reason.version} --check ${checkText(reason)} --reason "why this is acceptable"`,
  };
}

function readLogs(reason: CheckReason): readonly Remedy[] {
  if (reason.run === undefined) return [];
  const command = `npx headgate run logs ${reason.run} --step ${reason.asset}${partitionOption(reason.partition)}`;
  return [{ purpose: "read the logs of the run that made it", command }];
}

/** The check's name, with its team before it where that is not the team of the asset. */
function checkText(reason: CheckReason): string {
  return reason.asset.startsWith(`${reason.team}/`) ? reason.check : `${reason.team}:${reason.check}`;
}

export function partitionText(asset: string, partition: string): string {
  return partition === "" ? asset : `${asset} ${partition}`;
}

function partitionOption(partition: string): string {
  return partition === "" ? "" : ` --partition ${shellWord(partition)}`;
}

/** The text as one word of a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function detailText(description: string, figures: string): string {
  const parts = [description.trim().replace(/\.$/, ""), figures].filter((part) => part !== "");
  return parts.length === 0 ? "" : `: ${parts.join(" · ")}`;
}

const figuresMax = 6;

/** The short figures of a result as a phrase, "6 observed, 310,000 needed"; tables and long texts are left out. */
export function figuresText(metadata: readonly { name: string; kind: string; value: unknown }[]): string {
  const phrases = metadata.flatMap(({ name, value }) => {
    const label = name.replaceAll("_", " ");
    if (typeof value === "number") return [`${numberText(value)} ${label}`];
    if (typeof value === "boolean") return [`${label}: ${value ? "yes" : "no"}`];
    if (typeof value === "string" && value.length <= 60 && !value.includes("\n")) return [`${label}: ${value}`];
    return [];
  });
  return phrases.slice(0, figuresMax).join(", ");
}

/** With a comma between thousands, whatever the machine's locale. */
export function numberText(value: number): string {
  const [whole = "", fraction] = String(value).split(".");
  if (!/^-?\d+$/.test(whole)) return String(value);
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
