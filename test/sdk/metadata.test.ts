import { Chart_Kind, MetadataEntry } from "@headgate/proto";
import { asset } from "@headgate/sdk";
import type { Metadata } from "@headgate/sdk";
import { describe, expect, it } from "vitest";
import { metadataLines } from "../../control-plane/src/cli/metadata-lines.ts";
import { decodeMetadata } from "../../control-plane/src/grpc/decode-metadata.ts";
import { metadataEntries, plainMetadata } from "../../shared/sdk/src/step/metadata-entries.ts";
import { Redaction } from "../../shared/sdk/src/step/redaction.ts";

const orders = asset({ key: "shop/orders", compute: () => 1 });

function sent(metadata: Metadata, redaction = new Redaction()): MetadataEntry[] {
  return metadataEntries(metadata, redaction).map((e) => MetadataEntry.decode(MetadataEntry.encode(e).finish()));
}

const structured = {
  schema: {
    kind: "tableSchema",
    columns: [
      { name: "id", type: "BIGINT", nullable: false },
      { name: "note", type: "VARCHAR", description: "Free \0text." },
    ],
  },
  lineage: { kind: "columnLineage", columns: { net: [{ asset: orders, column: "cents" }], made: [] } },
  sizes: { kind: "chart", type: "bar", labels: ["eu", "us"], series: { rows: [3, null], bad: [Number.NaN, 1] } },
} satisfies Metadata;

describe("metadata of all kinds", () => {
  it("arrives at the control plane in the form in which readers of the version receive it", () => {
    const entries = sent(structured);
    const stored = decodeMetadata(entries);
    expect(stored).toEqual([
      {
        name: "schema",
        kind: "tableSchema",
        value: {
          columns: [
            { name: "id", type: "BIGINT", nullable: false },
            { name: "note", type: "VARCHAR", description: "Free text." },
          ],
        },
      },
      {
        name: "lineage",
        kind: "columnLineage",
        value: {
          columns: [
            { name: "net", sources: [{ asset: "shop/orders", column: "cents" }] },
            { name: "made", sources: [] },
          ],
        },
      },
      {
        name: "sizes",
        kind: "chart",
        value: {
          type: "bar",
          labels: ["eu", "us"],
          series: [
            { name: "rows", values: [3, null] },
            { name: "bad", values: [null, 1] },
          ],
        },
      },
    ]);
    expect(plainMetadata(entries)).toEqual(Object.fromEntries(stored.map(({ name, value }) => [name, value])));
  });

  it("strikes secrets out of every text of a structure", () => {
    const redaction = new Redaction();
    redaction.add("hunter22");
    const chart = { kind: "chart", type: "line", labels: ["hunter22"], series: { "of hunter22": [1] } } as const;
    expect(JSON.stringify(sent({ ...structured, chart, "x hunter22": 1 }, redaction))).not.toContain("hunter22");
  });

  it.each<[string, unknown, string]>([
    [
      "a series of another length",
      { kind: "chart", type: "line", labels: ["a"], series: { s: [1, 2] } },
      "1 labels and 2",
    ],
    ["a type of chart that is none", { kind: "chart", type: "pie", labels: [], series: {} }, "neither"],
    ["text in a chart", { kind: "chart", type: "bar", labels: ["a"], series: { s: ["1"] } }, "no number"],
    ["a column without a type", { kind: "tableSchema", columns: [{ name: "a" }] }, "without a type"],
    ["a column without a name", { kind: "tableSchema", columns: [{ name: "", type: "INT" }] }, "0 characters"],
    ["a source that is no asset", { kind: "columnLineage", columns: { a: [{ asset: "x", column: "b" }] } }, "{ asset"],
    ["columns that are no list", { kind: "tableSchema", columns: "a" }, "no list"],
    [
      "a chart without end",
      { kind: "chart", type: "bar", labels: Array(1_001).fill("a"), series: {} },
      "of at most 1000",
    ],
  ])("is refused at its sender for %s", (_what, value, words) => {
    expect(() => sent({ figure: value as never })).toThrow(words);
  });

  it("is refused at the border where a sender did not look", () => {
    const chart = (changes: object) =>
      decodeMetadata([
        MetadataEntry.fromPartial({
          name: "c",
          value: { $case: "chart", value: { kind: Chart_Kind.KIND_LINE, labels: ["a"], series: [], ...changes } },
        }),
      ]);
    expect(chart({ series: [{ name: "s", values: [1] }] })[0]?.kind).toBe("chart");
    expect(() => chart({ kind: 9 as never })).toThrow("the kind of a chart");
    expect(() => chart({ kind: Chart_Kind.KIND_UNSPECIFIED })).toThrow("the kind of a chart");
    expect(() => chart({ series: [{ name: "s", values: [] }] })).toThrow("0 values, for 1 labels");
    expect(() => chart({ labels: Array<string>(1_001).fill("a") })).toThrow("of at most 1000");
    const source = { assetKey: "no key", column: "c" };
    const lineage = { columns: [{ name: "a", sources: [source] }] };
    const entry = MetadataEntry.fromPartial({ name: "l", value: { $case: "columnLineage", value: lineage } });
    expect(() => decodeMetadata([entry])).toThrow("asset_key");
    const many = { columns: Array.from({ length: 1_001 }, (_, n) => ({ name: `c${n}`, type: "INT" })) };
    const schema = MetadataEntry.fromPartial({ name: "s", value: { $case: "tableSchema", value: many } });
    expect(() => decodeMetadata([schema])).toThrow("1001");
  });

  it("is text that says so where it is too large to be kept whole", () => {
    const description = "x".repeat(4_000);
    const columns = Array.from({ length: 20 }, (_, n) => ({ name: `c${n}`, type: "INT", description }));
    expect(sent({ schema: { kind: "tableSchema", columns } })[0]?.value).toMatchObject({ $case: "text" });
  });

  it("is shown in a terminal as lines and tables", () => {
    const shown = metadataLines(
      (_style, text) => text,
      [...decodeMetadata(sent({ rows: 12, note: { kind: "markdown", value: "**net**\nmore" }, ...structured }))],
    ).map((line) => line.trimEnd());
    expect(shown).toEqual([
      "rows: 12",
      "note: **net**…",
      "schema:",
      "  COLUMN  TYPE",
      "  id      BIGINT   not null",
      "  note    VARCHAR            Free text.",
      "lineage:",
      "  COLUMN  MADE OF",
      "  net     shop/orders.cents",
      "  made",
      "sizes:",
      "      rows  bad",
      "  eu  3",
      "  us        1",
    ]);
  });
});
