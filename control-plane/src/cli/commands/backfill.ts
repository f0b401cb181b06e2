import { randomUUID } from "node:crypto";
import type { Answer, Routes } from "../../http/contract.ts";
import { segment } from "../api-client.ts";
import { type CommandContext, print } from "../command-context.ts";
import { agoText, tookText } from "../duration-text.ts";
import { exitStatus } from "../exit-status.ts";
import { colorOf } from "../paint.ts";
import { readTags } from "../run-options.ts";
import { table } from "../table.ts";

type Backfill = Answer<Routes["getBackfill"]>;

const rangesTextMax = 100;

export interface BackfillCreateOptions {
  readonly partitions?: string;
  readonly only?: "missing" | "failed" | "blocked";
  readonly partitionsPerRun?: number;
  readonly tag?: readonly string[];
  readonly priority?: number;
  readonly whenOpen?: boolean;
  readonly idempotencyKey?: string;
}

export async function backfillCreate(
  context: CommandContext,
  selection: string,
  options: BackfillCreateOptions,
): Promise<number> {
  const { partitions, only, partitionsPerRun, tag = [], priority, whenOpen, idempotencyKey } = options;
  const answer = await context.api.send("createBackfill", "POST", "/backfills", {
    body: {
      selection,
      ...(partitions === undefined ? {} : { partitions }),
      ...(only === undefined ? {} : { only }),
      ...(partitionsPerRun === undefined ? {} : { partitionsPerRun }),
      ...(priority === undefined ? {} : { priority }),
      ...(whenOpen === undefined ? {} : { whenOpen }),
      tags: readTags(tag),
    },
    idempotencyKey: idempotencyKey ?? randomUUID(),
  });
  print(context, answer, () => {
    const count = Object.values(answer.counts).reduce((sum, n) => sum + n, 0);
    const assets = `${answer.parts.length} ${answer.parts.length === 1 ? "asset" : "assets"}`;
    const what = `${count} ${count === 1 ? "partition" : "partitions"} of ${assets}`;
    return `Backfill ${answer.id} makes ${what}.\nLook at it with: npx headgate backfill show ${answer.id}\n`;
  });
  return exitStatus.succeeded;
}

export async function backfillList(
  context: CommandContext,
  { state, limit }: { readonly state?: string; readonly limit: number },
): Promise<number> {
  const { api, paint, terminal } = context;
  const items = await api.list("listBackfills", "/backfills", { state }, limit);
  const nowMs = terminal.now();
  print(context, { items }, () =>
    table(
      paint,
      ["BACKFILL", "STATE", "CREATED", "BY", "DONE", "SELECTION"],
      items.map((item) => [
        item.id,
        item.state,
        agoText(item.createdAt, nowMs),
        item.actor,
        doneText(item.counts),
        item.partitions === "" ? item.selection : `${item.selection} ${item.partitions}`,
      ]),
      [1],
    ),
  );
  return exitStatus.succeeded;
}

export async function backfillShow(context: CommandContext, id: string): Promise<number> {
  const answer = await context.api.get("getBackfill", `/backfills/${segment(id)}`);
  print(context, answer, () => backfillText(context, answer));
  return exitStatus.succeeded;
}

export async function backfillChange(
  context: CommandContext,
  name: "cancel" | "pause" | "resume" | "retry",
  id: string,
  { idempotencyKey }: { readonly idempotencyKey?: string },
): Promise<number> {
  const route = `${name}Backfill` as const;
  const answer = await context.api.send(route, "POST", `/backfills/${segment(id)}/${name}`, {
    idempotencyKey: idempotencyKey ?? randomUUID(),
  });
  print(context, answer, () => `Backfill ${answer.id} is ${answer.state}: ${doneText(answer.counts)} made.\n`);
  return exitStatus.succeeded;
}

function doneText(counts: Backfill["counts"]): string {
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
  return `${counts["succeeded"] ?? 0} of ${all}`;
}

function backfillText({ paint, terminal }: CommandContext, answer: Backfill): string {
  const nowMs = terminal.now();
  const took = tookText(answer.createdAt, answer.endedAt, nowMs);
  const runs = `${answer.runs.all} ${answer.runs.all === 1 ? "run" : "runs"}, ${answer.runs.open} of them open`;
  const lines = [
    `Backfill ${answer.id} ${paint(colorOf(answer.state), answer.state)} after ${took}: ${doneText(answer.counts)} made, ${runs}`,
    ...(answer.error === null ? [] : [paint("red", `${answer.error.message} ${answer.error.hint}`)]),
    ...answer.parts.flatMap(({ asset, ranges }) => [
      asset,
      ...ranges.map(({ status, partitions, count }) => {
        const shown = partitions.length > rangesTextMax ? `${partitions.slice(0, rangesTextMax)}…` : partitions;
        return `  ${paint(colorOf(status), status.padEnd(10))}${shown === "" ? "" : `${shown}  (${count})`}`;
      }),
    ]),
    ...(answer.endedAt !== null && answer.state !== "succeeded"
      ? ["", `What is not made is requested again with: npx headgate backfill retry ${answer.id}`]
      : []),
    "",
  ];
  return lines.join("\n");
}
