import { randomUUID } from "node:crypto";
import type { Answer, Routes } from "../../http/contract.ts";
import { segment } from "../api-client.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, print } from "../command-context.ts";
import { exitStatus } from "../exit-status.ts";
import { colorOf } from "../paint.ts";
import { indented, reasonLines } from "../reason-block.ts";
import { stepName } from "../run-summary.ts";
import { resolveVersion } from "./asset.ts";
import { checkFields } from "./waiver.ts";

type Version = Answer<Routes["getVersion"]>;

export interface AssetReportOptions {
  readonly partition?: string;
  readonly dataVersion?: string;
  readonly observation?: boolean;
  readonly value?: string;
  readonly metadata?: readonly string[];
  readonly idempotencyKey?: string;
}

/** Reports a version of an external asset, or what was seen of it. */
export async function assetReport(context: CommandContext, key: string, options: AssetReportOptions): Promise<number> {
  const { partition, dataVersion, value } = options;
  const asset = await context.api.get("getAsset", `/assets/${segment(key)}`);
  // An unversioned asset takes observations alone.
  const observed = options.observation === true || asset.external?.unversioned === true;
  const name = observed ? "reportObservation" : "reportMaterialization";
  const answer = await context.api.send(
    name,
    "POST",
    `/assets/${segment(key)}/${observed ? "observations" : "materializations"}`,
    {
      body: {
        ...(partition === undefined ? {} : { partition }),
        ...(dataVersion === undefined ? {} : { dataVersion }),
        ...(value === undefined ? {} : { value: parseReference(value) }),
        metadata: readMetadata(options.metadata ?? []),
      },
      idempotencyKey: options.idempotencyKey ?? randomUUID(),
    },
  );
  print(context, answer, () => {
    const { version, changed, run } = answer;
    const what = changed
      ? `Version ${version.id} of ${stepName(version)} is reported`
      : `${stepName(version)} is observed`;
    const checks = run === null ? "" : `\nIts checks run: npx headgate run show ${run}`;
    return `${what}: ${context.paint(colorOf(version.state), version.state)}.${checks}\n`;
  });
  return exitStatus.succeeded;
}

export interface CheckReportOptions {
  readonly version?: string;
  readonly partition?: string;
  readonly outcome: string;
  readonly description?: string;
  readonly metadata?: readonly string[];
  readonly idempotencyKey?: string;
}

/** Reports a verdict of a check on a version of an external asset; without a version on the newest. */
export async function checkReport(
  context: CommandContext,
  target: string,
  check: string,
  options: CheckReportOptions,
): Promise<number> {
  const { outcome, description } = options;
  if (!["passed", "warned", "failed"].includes(outcome)) {
    const hint = "It is passed, warned or failed.";
    throw new CliError("cli.bad_outcome", `--outcome ${outcome} is no outcome that can be reported.`, hint);
  }
  const { key, version } = await resolveVersion(context, target, options);
  const { check: name = check, team } = checkFields(check);
  const answer = await context.api.send(
    "reportCheckResult",
    "POST",
    `/assets/${segment(key)}/checks/${segment(name)}/results`,
    {
      body: {
        version,
        ...(team === undefined ? {} : { team }),
        passed: outcome === "passed",
        severity: outcome === "warned" ? "WARN" : "ERROR",
        ...(description === undefined ? {} : { description }),
        metadata: readMetadata(options.metadata ?? []),
      },
      idempotencyKey: options.idempotencyKey ?? randomUUID(),
    },
  );
  print(context, answer, () => resultText(context, name, answer));
  return exitStatus.succeeded;
}

function resultText({ paint }: CommandContext, check: string, version: Version): string {
  return [
    `The result of ${check} is reported; version ${version.id} of ${stepName(version)} is ${paint(colorOf(version.state), version.state)}.`,
    ...version.reasons.flatMap((reason) => indented(reasonLines(paint, reason))),
    "",
  ].join("\n");
}

/** @throws CliError for what is not `name=value`; a value is JSON if it reads as JSON, else text */
function readMetadata(texts: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at <= 0) {
        throw new CliError(
          "cli.bad_metadata",
          `--metadata ${text} is not name=value.`,
          "For example --metadata rows=12",
        );
      }
      return [text.slice(0, at), parsed(text.slice(at + 1)) ?? text.slice(at + 1)];
    }),
  );
}

function parseReference(text: string): unknown {
  const reference = parsed(text);
  if (typeof reference === "object" && reference !== null) return reference;
  const hint = `For example --value '{"scheme":"s3","place":"s3://lake/orders.parquet"}'`;
  throw new CliError("cli.bad_value", `--value ${text} is not a value reference in JSON.`, hint);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
