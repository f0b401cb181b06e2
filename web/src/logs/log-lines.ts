import type { ItemOf } from "../api/answers.ts";

export type LogChunk = ItemOf<"listRunLogs">;

export interface LogLine {
  /** From 1, in the order of what was asked for. */
  readonly number: number;
  readonly at: string;
  readonly stream: LogChunk["stream"];
  readonly step: number;
  readonly asset: string;
  readonly partition: string;
  readonly attempt: number;
  readonly text: string;
}

const escapes = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/**
 * Lines of chunks. A progress bar writes one line over and over: what it wrote last is what a terminal shows. Colours
 * and cursor movements of terminals are left out.
 */
export function logLines(chunks: readonly LogChunk[], linesBefore: number): LogLine[] {
  const lines: LogLine[] = [];
  for (const { at, stream, step, asset, partition, attempt, text, droppedBytes } of chunks) {
    const about = { at, stream, step, asset, partition, attempt };
    const add = (line: string) => lines.push({ ...about, number: linesBefore + lines.length + 1, text: line });
    for (const line of text.replace(/\n$/, "").split("\n")) add(overwritten(line).replaceAll(escapes, ""));
    if (droppedBytes > 0) add(`… ${droppedBytes} bytes more than are kept were dropped here`);
  }
  return lines;
}

function overwritten(line: string): string {
  const parts = line.split("\r").filter((part) => part !== "");
  return parts.at(-1) ?? "";
}
