import type { FencedBlock } from "./fenced-blocks.ts";

/** The blocks of one document that are one module, each at its own lines. */
export function moduleOf(blocks: readonly FencedBlock[]): string {
  const lines: string[] = [];
  for (const block of blocks) {
    while (lines.length < block.line) lines.push("");
    lines.push(...block.text.split("\n"));
  }
  return `${lines.join("\n")}\nexport {};\n`;
}
