import { describe, expect, it } from "vitest";
import { type LogChunk, logLines } from "../../web/src/logs/log-lines.ts";

const chunk = (text: string, droppedBytes = 0): LogChunk => ({
  step: 0,
  asset: "flights/raw_flights",
  partition: "",
  attempt: 1,
  sequence: 0,
  stream: "stdout",
  at: "2001-01-01T00:00:00.000Z",
  text,
  droppedBytes,
});
const texts = (...chunks: LogChunk[]) => logLines(chunks, 0).map(({ text }) => text);

describe("Lines of a log", () => {
  it("are numbered on over chunks and pages", () => {
    const lines = logLines([chunk("one\ntwo\n"), chunk("three")], 10);
    expect(lines.map(({ number, text }) => [number, text])).toEqual([
      [11, "one"],
      [12, "two"],
      [13, "three"],
    ]);
  });

  it("show of a progress bar what it wrote last, and no colours of terminals", () => {
    expect(texts(chunk("  1%\r 50%\r100%\n"))).toEqual(["100%"]);
    expect(texts(chunk("\u001b[31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007\n"))).toEqual(["red link"]);
  });

  it("keep empty lines and every character that is markup elsewhere", () => {
    expect(texts(chunk("a\n\n<script>alert(1)</script>\n"))).toEqual(["a", "", "<script>alert(1)</script>"]);
  });

  it("say where bytes were dropped", () => {
    expect(texts(chunk("a\n", 512)).at(-1)).toContain("512 bytes");
  });
});
