import type { Answer, Routes } from "../../http/contract.ts";
import { segment } from "../api-client.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, print } from "../command-context.ts";
import { agoText, durationText } from "../duration-text.ts";
import { exitStatus } from "../exit-status.ts";
import { metadataLines } from "../metadata-lines.ts";
import { colorOf } from "../paint.ts";
import { printable } from "../printable.ts";
import { indented, ownerText, reasonLines } from "../reason-block.ts";
import { stepName } from "../run-summary.ts";
import { table } from "../table.ts";

type Version = Answer<Routes["getVersion"]>;

export async function assetList(context: CommandContext, selection: string | undefined): Promise<number> {
  const items = await context.api.list("listAssets", "/assets", { selection });
  print(context, { items }, () =>
    table(
      context.paint,
      ["ASSET", "TEAM", "STATUS", "PARTITIONS"],
      items.map((asset) => [
        asset.retired ? `${asset.key} (retired)` : asset.key,
        asset.team,
        asset.status,
        asset.partitioned
          ? Object.entries(asset.counts)
              .map(([status, count]) => `${count} ${status}`)
              .join(", ")
          : "",
      ]),
      [2],
    ),
  );
  return exitStatus.succeeded;
}

export async function assetShow(context: CommandContext, key: string): Promise<number> {
  const asset = await context.api.get("getAsset", `/assets/${segment(key)}`);
  const { paint, terminal } = context;
  print(context, asset, () =>
    [
      `${paint("bold", asset.key)}  ${paint(colorOf(asset.status), asset.status)}`,
      ...(asset.description === "" ? [] : [asset.description]),
      ...(asset.external === null ? [] : [externalText(asset.external)]),
      ...(asset.multi === null ? [] : [multiText(asset.key, asset.multi)]),
      ...(asset.batch === null ? [] : [`one call computes up to ${asset.batch.partitionsMax} partitions`]),
      `owner: ${ownerText(asset.owner)}, code location ${asset.location}, ${asset.source.file}:${asset.source.line}`,
      ...(asset.retired
        ? [
            paint(
              "yellow",
              `retired: ${asset.location} no longer defines it. Its versions serve the readers that it has; no new one is made.`,
            ),
          ]
        : []),
      ...asset.warnings.map(({ message, hint }) => paint("yellow", `${message} ${hint}`)),
      ...(asset.error === null ? [] : [paint("red", `${asset.error.message} ${asset.error.hint}`)]),
      ...asset.dependencies.map(
        ({ asset: upstream, mode }) => `reads ${upstream}${mode === "strict" ? "" : ` (${mode})`}`,
      ),
      ...(asset.readers.length === 0 ? [] : [`read by ${asset.readers.join(", ")}`]),
      "",
      ...asset.ranges.map(
        ({ status, partitions, count }) =>
          `  ${paint(colorOf(status), status.padEnd(18))}${asset.partitioned ? `${partitions}  (${count})` : ""}`,
      ),
      ...asset.checks.map((check) => {
        const latest =
          check.latest === null
            ? neverRun(check)
            : `${paint(colorOf(check.latest.outcome), check.latest.outcome)} on ${check.latest.partition || "it"}, ${agoText(check.latest.at, terminal.now())}${check.latest.current ? "" : "; of an older version of the check, it no longer counts"}`;
        return `  check ${check.name}${check.required ? " (blocking)" : ""}: ${latest}`;
      }),
      ...publicationLines(context, asset),
      ...(asset.newest === null || asset.newest.metadata.length === 0
        ? []
        : [
            "",
            paint("dim", `newest version ${asset.newest.id}`),
            ...indented(metadataLines(paint, asset.newest.metadata)),
          ]),
      "",
    ].join("\n"),
  );
  return exitStatus.succeeded;
}

type Check = Answer<Routes["getAsset"]>["checks"][number];

function externalText({ unversioned }: { readonly unversioned: boolean }): string {
  return unversioned ? "external, without versions: gated by its checks alone" : "external: its versions are reported";
}

function multiText(key: string, { outputs, canSubset }: { outputs: string[]; canSubset: boolean }): string {
  const others = outputs.filter((output) => output !== key).join(", ");
  return canSubset ? `one call can compute it with ${others}` : `one call computes it together with ${others}`;
}

function neverRun({ reportedBy }: Check): string {
  return reportedBy === null ? "never run" : `never reported by ${reportedBy === "api" ? "API" : "compute"}`;
}

/** What readers outside see, and what of it cannot be brought to the newest open version. */
function publicationLines({ paint, terminal }: CommandContext, asset: Answer<Routes["getAsset"]>): string[] {
  if (asset.publications === null) return [];
  const { published, failing } = asset.publications;
  const what = asset.partitioned ? `${published} partitions` : published === 0 ? "nothing yet" : "a version";
  return [
    `  published: ${what}`,
    ...failing.flatMap(({ partition, error, failures, retryAt }) => [
      `  ${paint("red", `publishing ${partition || "it"} failed${failures > 1 ? ` ${failures} times` : ""}:`)} ${printable(error.message)}${retryAt === null ? "" : `, next try in ${durationText(Date.parse(retryAt) - terminal.now())}`}`,
      ...(error.hint === null ? [] : [`    ${printable(error.hint)}`]),
    ]),
  ];
}

export async function assetVersions(
  context: CommandContext,
  key: string,
  options: { readonly partition?: string; readonly limit: number },
): Promise<number> {
  const { partition, limit } = options;
  const items = await context.api.list("listVersions", `/assets/${segment(key)}/versions`, { partition }, limit);
  print(context, { items }, () =>
    table(
      context.paint,
      ["VERSION", "PARTITION", "STATE", "MADE", "RUN", ""],
      items.map((version) => [
        version.id,
        version.partition,
        version.state,
        agoText(version.createdAt, context.terminal.now()),
        version.run ?? "reported",
        notes(version),
      ]),
      [2],
    ),
  );
  return exitStatus.succeeded;
}

function notes(version: Version): string {
  return [
    ...(version.newest ? ["newest"] : []),
    ...(version.publishedAt === null ? [] : ["published"]),
    ...(version.discarded === null ? [] : [`discarded by ${version.discarded.by}: ${version.discarded.reason}`]),
    ...version.waivers.map((waiver) => `${waiver.check} waived by ${waiver.actor}`),
    ...(version.inheritedWaivers.length === 0 ? [] : ["stands on a waiver"]),
  ].join("; ");
}

/** `key` or `key@version`; without a version the newest of the partition is meant. */
export async function resolveVersion(
  context: CommandContext,
  target: string,
  options: { readonly partition?: string; readonly version?: string },
): Promise<{ readonly key: string; readonly version: string }> {
  const at = target.indexOf("@");
  const key = at < 0 ? target : target.slice(0, at);
  const named = options.version ?? (at < 0 ? undefined : target.slice(at + 1));
  if (named !== undefined) return { key, version: named };
  const { partition } = options;
  const asset = await context.api.get("getAsset", `/assets/${segment(key)}`);
  if (asset.partitioned && partition === undefined) {
    const hint = `For example: ${key}@<version>, or --partition ${asset.ranges[0]?.partitions.split("..")[0] ?? "KEY"}`;
    throw new CliError("cli.partition_needed", `${key} is partitioned; say which version or partition.`, hint);
  }
  const items = await context.api.list("listVersions", `/assets/${segment(key)}/versions`, {
    partition: partition ?? "",
  });
  const newest = items.find((version) => version.newest);
  if (newest === undefined) {
    const hint = `npx headgate materialize ${key}${partition === undefined ? "" : ` --partition ${partition}`}`;
    throw new CliError(
      "cli.no_version",
      `${stepName({ asset: key, partition: partition ?? "" })} has no version.`,
      hint,
    );
  }
  return { key, version: newest.id };
}

export async function assetDiscard(
  context: CommandContext,
  target: string,
  options: { readonly partition?: string; readonly reason: string },
): Promise<number> {
  const { key, version } = await resolveVersion(context, target, options);
  const path = `/assets/${segment(key)}/versions/${segment(version)}/discard`;
  const answer = await context.api.send("discardVersion", "POST", path, { body: { reason: options.reason } });
  print(
    context,
    answer,
    () =>
      `Version ${version} of ${stepName(answer)} is discarded; the one before it is the newest again.\nTo take it back: npx headgate asset restore ${key}@${version}\n`,
  );
  return exitStatus.succeeded;
}

export async function assetRestore(context: CommandContext, target: string): Promise<number> {
  const { key, version } = await resolveVersion(context, target, {});
  const path = `/assets/${segment(key)}/versions/${segment(version)}/restore`;
  const answer = await context.api.send("restoreVersion", "POST", path);
  print(context, answer, () =>
    [
      `Version ${version} of ${stepName(answer)} is back: ${context.paint(colorOf(answer.state), answer.state)}.`,
      ...answer.reasons.flatMap((reason) => indented(reasonLines(context.paint, reason))),
      "",
    ].join("\n"),
  );
  return exitStatus.succeeded;
}
