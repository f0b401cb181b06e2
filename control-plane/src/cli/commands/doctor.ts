import { dirname, resolve } from "node:path";
import { headgateCommand } from "../../launchers/headgate-command.ts";
import type { Finding } from "../../processes/doctor/finding.ts";
import {
  dataDirFinding,
  duckdbFinding,
  nodeFinding,
  portFinding,
  postgresFinding,
} from "../../processes/doctor/machine-findings.ts";
import { controlPlaneFinding, databaseFindings } from "../../processes/doctor/service-findings.ts";
import { workspaceFindings } from "../../processes/doctor/workspace-findings.ts";
import { shutdownSignal } from "../../processes/shutdown.ts";
import { exitStatus } from "../exit-status.ts";
import { type Color, type Paint, painter } from "../paint.ts";
import { printable } from "../printable.ts";
import type { DoctorCommand } from "../process-commands.ts";
import { processTerminal } from "../terminal.ts";

/** Looks at the machine and the checkout, and says what to mend. Status 1 if something fails. */
export async function doctor({ workspace, dataDir, port, json }: DoctorCommand): Promise<number> {
  const terminal = processTerminal();
  const { env } = terminal;
  const stop = new AbortController();
  void shutdownSignal().then(() => stop.abort());
  let findings: Finding[];
  try {
    const looks: Promise<Finding | readonly Finding[]>[] = [
      Promise.resolve(nodeFinding()),
      dataDirFinding(dataDir),
      portFinding(port),
      postgresFinding(),
      duckdbFinding(dirname(resolve(workspace))),
      workspaceFindings({ workspace, command: headgateCommand(), signal: stop.signal }),
      databaseFindings(env),
      controlPlaneFinding(env),
    ];
    findings = (await Promise.all(looks)).flat().map((finding) => withoutSecrets(finding, env));
  } catch (error) {
    if (stop.signal.aborted) return exitStatus.detached;
    throw error;
  }
  const failed = findings.some(({ status }) => status === "fail");
  terminal.out(
    json ? `${JSON.stringify({ healthy: !failed, findings }, null, 2)}\n` : text(painter(terminal.colors), findings),
  );
  return failed ? exitStatus.failed : exitStatus.succeeded;
}

const colors: Record<Finding["status"], Color> = { ok: "green", warn: "yellow", fail: "red" };

function text(paint: Paint, findings: readonly Finding[]): string {
  const lines = findings.map(({ check, status, message, remedy }) => {
    const [first = "", ...more] = printable(message).split("\n");
    const words = [`${printable(check)}: ${first}`, ...(remedy === "" ? [] : [printable(remedy)])].join(" → ");
    return [`${paint(colors[status], status.padEnd(4))}  ${words}`, ...more.map((line) => `      ${line}`)].join("\n");
  });
  return `${lines.join("\n")}\n`;
}

const shortestSecret = 4;

/** What others say in an error may quote what it was given. */
function withoutSecrets(finding: Finding, env: Readonly<Record<string, string | undefined>>): Finding {
  const secrets = [env["HEADGATE_TOKEN"], env["HEADGATE_LOCATION_TOKEN"], ...passwordsOf(env["HEADGATE_DATABASE_URL"])];
  let { message } = finding;
  for (const secret of secrets) {
    if (secret !== undefined && secret.length >= shortestSecret) message = message.replaceAll(secret, "[redacted]");
  }
  return { ...finding, message };
}

/** As it is written in the URL, and as it is meant. */
function passwordsOf(url: string | undefined): string[] {
  if (url === undefined || !URL.canParse(url)) return url === undefined ? [] : [url];
  const { password } = new URL(url);
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}
