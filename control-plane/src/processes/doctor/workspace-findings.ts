import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { LoadOptions, LocationDefinitions } from "../workspace-definitions.ts";
import { loadWorkspaceDefinitions } from "../workspace-definitions.ts";
import type { GrpcServerEntry } from "../../workspace/workspace.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

const dayMs = 86_400_000;
const renewWithinDays = 30;

/** What the workspace file says, whether each location can be asked, and what each lacks. */
export async function workspaceFindings(options: LoadOptions): Promise<Finding[]> {
  const { workspace, locations } = await loadWorkspaceDefinitions(options);
  const { problems, entries } = workspace;
  const findings = problems.map(({ file, line, message, hint }) =>
    fail("workspace", `${file}:${line}: ${message}`, hint),
  );
  if (problems.length === 0)
    findings.push(ok("workspace", `${workspace.file} has ${counted(entries.length, "location")}`));
  for (const location of locations) findings.push(...locationFindings(location));
  for (const entry of entries) if (entry.kind === "grpcServer") findings.push(...certificateFindings(entry));
  return findings;
}

function locationFindings({ name, error, definitions, missingVariables }: LocationDefinitions): Finding[] {
  // Said above, with file and line.
  if (error?.code.startsWith("workspace.") === true) return [];
  const check = `location ${name}`;
  if (error !== undefined) {
    // What its process said may hold anything: validate shows it to whoever asks for it.
    const [message = "", ...said] = error.message.split("\n");
    return [
      fail(check, message, said.length === 0 ? error.hint : `headgate validate shows what it said. ${error.hint}`),
    ];
  }
  const wrong = definitions.filter((definition) => definition.error !== undefined).length;
  const remedy = "headgate validate names each, with file and line";
  return [
    wrong === 0
      ? ok(check, `it answers, with ${counted(definitions.length, "definition")}`)
      : fail(check, `it answers, and ${counted(wrong, "definition")} of it did not load`, remedy),
    ...missingVariables.map((variable) =>
      fail(check, `its code asks for the variable ${variable}, which is not set`, setVariable(variable, name)),
    ),
  ];
}

function setVariable(variable: string, location: string): string {
  return `set ${variable} where ${location} runs: in env or env_file of its entry, or in the environment`;
}

/** Certificates of the control plane's own that end soon; what is wrong already is said where the location is dialled. */
function certificateFindings({ locationName, tls }: GrpcServerEntry): Finding[] {
  return Object.entries(tls ?? {}).flatMap(([part, file]: [string, string]) => {
    if (part === "key") return [];
    try {
      const { validTo } = new X509Certificate(readFileSync(file));
      const leftDays = (Date.parse(validTo) - Date.now()) / dayMs;
      if (leftDays < 0 || leftDays > renewWithinDays) return [];
      const message = `tls: ${part} (${file}) expires on ${validTo}`;
      return [warn(`location ${locationName}`, message, "renew it; it is read again without a restart")];
    } catch {
      return [];
    }
  });
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
