import type { MetadataEntry, AssetDefinition } from "@headgate/proto";
import { AttemptEvent, Definition, SessionResponse, SessionResponse_Batch } from "@headgate/proto";
import { describe, expect, it } from "vitest";
import type { AttemptReport, StepError } from "../../control-plane/src/domain/attempt-report.ts";
import { decodeDefinition } from "../../control-plane/src/grpc/decode-definition.ts";
import { decodeFrame } from "../../control-plane/src/grpc/decode-frame.ts";
import { decodeMetadata } from "../../control-plane/src/grpc/decode-metadata.ts";
import { decodeReport } from "../../control-plane/src/grpc/decode-report.ts";
import { WireError } from "../../control-plane/src/grpc/wire-error.ts";

const attemptId = "01936b6e-0000-7000-8000-000000000001";
const otherId = "01936b6e-0000-7000-8000-000000000002";

type PartialEvent = Parameters<typeof AttemptEvent.fromPartial>[0];

function encodedEvent(event: PartialEvent): Uint8Array {
  return AttemptEvent.encode(AttemptEvent.fromPartial({ attemptId, sequence: 3, ...event })).finish();
}

function succeeded(metadata: Parameters<typeof MetadataEntry.fromPartial>[0][]): PartialEvent {
  const computed = { value: undefined, dataVersion: "d", codeVersion: "c", metadata };
  return { event: { $case: "finished", value: { outcome: 1, computed, checks: [] } } };
}

function errorOf(report: AttemptReport | undefined): StepError {
  if (report?.kind !== "finished" || report.finished.error === undefined)
    throw new Error("no finished report with an error");
  return report.finished.error;
}

type WirePartitions = NonNullable<Parameters<typeof AssetDefinition.fromPartial>[0]["partitions"]>;
const dimensions = (definition: WirePartitions | undefined): WirePartitions => ({
  kind: { $case: "multi", value: { dimensions: [{ name: "d", ...(definition && { definition }) }] } },
});

const months: WirePartitions = { kind: { $case: "static", value: { keys: ["1", "2"] } } };
type WireCondition = NonNullable<AssetDefinition["automation"]>;
const operand = (value: number): NonNullable<WireCondition["kind"]> => ({ $case: "operand", value });
const negated = (times: number, innermost: object): object =>
  times === 0 ? innermost : { kind: { $case: "not", value: negated(times - 1, innermost) } };

const entry = (name: string, value: MetadataEntry["value"]): MetadataEntry => ({ name, value });

describe("a report that cannot be read costs its attempt and no other", () => {
  it("fails the attempt under its own id and sequence when an outcome is unknown", () => {
    const report = decodeReport(
      encodedEvent({ event: { $case: "finished", value: { outcome: 77 as never, checks: [] } } }),
    );
    expect(report).toMatchObject({ attemptId, sequence: 3, kind: "finished", finished: { outcome: "failed" } });
    expect(errorOf(report)).toMatchObject({ code: "report.malformed" });
    expect(errorOf(report).message).toContain("wire.unknown_enum");
  });

  it("fails the attempt when the event is of a kind that this side does not know", () => {
    expect(errorOf(decodeReport(encodedEvent({}))).message).toContain("wire.missing_field");
  });

  it("fails the attempt when an integer does not fit into a number", () => {
    // Field 8 (finished), field 2 (computed), field 4 (metadata), field 5 (integer): 2^63 - 1.
    const integer = Buffer.from([0x0a, 1, 0x6e, 0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    const nest = (tag: number, bytes: Buffer): Buffer => Buffer.concat([Buffer.from([tag, bytes.length]), bytes]);
    const event = Buffer.concat([encodedEvent({}), nest(0x42, nest(0x12, nest(0x22, integer)))]);
    expect(decodeReport(event)).toMatchObject({
      attemptId,
      sequence: 3,
      finished: { error: { code: "report.malformed" } },
    });
  });

  it("stands after everything stored when not even the sequence number can be read", () => {
    const event = Buffer.concat([
      AttemptEvent.encode(AttemptEvent.fromPartial({ attemptId })).finish(),
      Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
    ]);
    expect(decodeReport(event)).toMatchObject({ attemptId, sequence: Number.MAX_SAFE_INTEGER, kind: "finished" });
  });

  it("drops what names no attempt", () => {
    expect(decodeReport(encodedEvent({ attemptId: "'; drop table runs" }))).toBeUndefined();
    expect(decodeReport(Buffer.from([0xff, 0xff, 0xff]))).toBeUndefined();
  });

  it("reads the other events of the frame, credits and refusals", () => {
    const good = encodedEvent({ attemptId: otherId, event: { $case: "started", value: {} } });
    const bad = Buffer.concat([encodedEvent({}), Buffer.from([0x42, 0x7f])]);
    const field = (tag: number, bytes: Uint8Array): Buffer =>
      Buffer.concat([Buffer.from([tag, (bytes.length & 0x7f) | 0x80, bytes.length >> 7]), bytes]);
    const rest = SessionResponse_Batch.encode(
      SessionResponse_Batch.fromPartial({ credits: 7, refused: [{ attemptId: otherId, reason: 99 as never }] }),
    ).finish();
    const frame = decodeFrame(Buffer.from(field(0x12, Buffer.concat([field(0x0a, bad), field(0x0a, good), rest]))));
    if (frame.kind !== "batch") throw new Error("not a batch");
    expect(frame.credits).toBe(7);
    expect(frame.reports.map((report) => [report.attemptId, report.kind])).toEqual([
      [attemptId, "finished"],
      [otherId, "started"],
      [otherId, "finished"],
    ]);
    expect(frame.refused).toEqual([]);
  });

  it("refuses a frame that is no message at all, and one without a frame", () => {
    expect(() => decodeFrame(Buffer.from([0x12, 0x7f, 1]))).toThrow(WireError);
    expect(() => decodeFrame(Buffer.from(SessionResponse.encode({ frame: undefined }).finish()))).toThrow("is not set");
  });
});

describe("validation at the border", () => {
  it("strips NUL and lone surrogates from every text, also inside JSON", () => {
    const report = decodeReport(
      encodedEvent(
        succeeded([
          entry("te\0xt", { $case: "text", value: "a\0b" }),
          entry("json", { $case: "json", value: '{"k\\u0000":["x\\u0000y","\\ud800z"]}' }),
          entry("table", { $case: "table", value: { columns: ["c\0"], rows: [{ cells: ['"v\\u0000"'] }] } }),
        ]),
      ),
    );
    if (report?.kind !== "finished") throw new Error("not finished");
    expect(report.finished.computed?.metadata).toEqual([
      { name: "text", kind: "text", value: "ab" },
      { name: "json", kind: "json", value: { k: ["xy", "z"] } },
      { name: "table", kind: "table", value: { columns: ["c"], rows: [["v"]] } },
    ]);
  });

  it("keeps as text what JSON cannot say and JSON that does not parse", () => {
    const metadata = decodeMetadata([
      entry("nan", { $case: "number", value: NaN }),
      entry("infinite", { $case: "number", value: -Infinity }),
      entry("broken", { $case: "json", value: "{no" }),
      entry("deep", { $case: "json", value: "[".repeat(5_000) + "]".repeat(5_000) }),
      entry("late", { $case: "timestampMs", value: 9e15 }),
    ]);
    expect(metadata.map(({ kind }) => kind)).toEqual(["text", "text", "text", "text", "text"]);
    expect(metadata.slice(0, 3).map(({ value }) => value)).toEqual(["NaN", "-Infinity", "{no"]);
  });

  it("cuts long values with a marker, and never through a pair of surrogates", () => {
    const [text] = decodeMetadata([entry("long", { $case: "text", value: "x" + "😀".repeat(40_000) })]);
    expect(text?.value).toMatch(/more characters were cut\)$/);
    expect(text?.value).not.toMatch(/\p{Surrogate}/u);
    expect((text?.value as string).length).toBeLessThan(65_700);
  });

  it("bounds the number of entries, rows and columns, and says how many were cut", () => {
    const entries = Array.from({ length: 1_000 }, (_, n) => entry(`n${n}`, { $case: "integer", value: n }));
    const metadata = decodeMetadata(entries);
    expect(metadata).toHaveLength(257);
    expect(metadata.at(-1)).toMatchObject({ name: "headgate.cut", kind: "text" });
    const rows = Array.from({ length: 1_500 }, () => ({ cells: Array.from({ length: 150 }, () => "1") }));
    const columns = Array.from({ length: 150 }, (_, n) => `c${n}`);
    const [table] = decodeMetadata([entry("t", { $case: "table", value: { columns, rows } })]);
    expect(table?.value).toMatchObject({ cutRows: 500, cutColumns: 50 });
    expect((table?.value as { rows: unknown[][] }).rows[0]).toHaveLength(100);
  });

  it("cuts a long chain of causes, and refuses one that would exhaust the stack", () => {
    const chain = (length: number): AttemptReport | undefined => {
      let error: Record<string, unknown> = { code: "c", message: "m" };
      for (let n = 1; n < length; n++) error = { code: "c", message: "m", cause: error };
      return decodeReport(encodedEvent({ event: { $case: "finished", value: { outcome: 2, checks: [], error } } }));
    };
    let depth = 0;
    for (let at: StepError | undefined = errorOf(chain(50)); at; at = at.cause) depth++;
    expect(depth).toBe(9);
    expect(errorOf(chain(5_000)).code).toBe("report.malformed");
  });

  it("refuses a check name that no check can have", () => {
    const check = { name: "a/b", checkVersion: 1, outcome: 1 } as never;
    const report = decodeReport(encodedEvent({ event: { $case: "checkCompleted", value: check } }));
    expect(errorOf(report).message).toContain("wire.invalid_text");
  });
});

describe("definitions", () => {
  type Asset = Parameters<typeof Definition.fromPartial>[0];
  const encoded = (definition: Asset): Uint8Array => Definition.encode(Definition.fromPartial(definition)).finish();
  const asset = (changes: object): Uint8Array =>
    encoded({ definition: { $case: "asset", value: { key: "t/a", codeVersion: "1", ...changes } } });

  it("reads the pool of an asset, and refuses one that no pool can be called", () => {
    expect(decodeDefinition(asset({ pool: "warehouse" }))).toMatchObject({ definition: { pool: "warehouse" } });
    expect(decodeDefinition(asset({ pool: "Ware house" }))).toMatchObject({ ok: false });
  });

  it("fills in the defaults of the control plane", () => {
    expect(decodeDefinition(asset({}))).toEqual({
      ok: true,
      definition: {
        kind: "asset",
        key: "t/a",
        description: "",
        dependencies: [],
        export: false,
        exportTo: [],
        codeVersion: "1",
        group: "",
        tags: {},
        kinds: [],
        inPlace: false,
        retry: { maxRetries: 0, delayMs: 0, backoff: "constant", jitter: 0, maxCrashes: 0 },
        timeoutMs: 0,
        attemptLeaseMs: 60_000,
        gateTimeoutMs: 3_600_000,
        requiredChecks: [],
        source: { file: "", line: 0 },
      },
    });
  });

  it("keeps a partition that is called __proto__", () => {
    const upstreamOf = { ["__proto__"]: { keys: ["x"] }, b: { keys: ["y"] } };
    const mapping = { kind: { $case: "static", value: { upstreamOf } } };
    const result = decodeDefinition(asset({ dependencies: [{ name: "d", assetKey: "t/b", mode: 1, mapping }] }));
    if (!result.ok || result.definition.kind !== "asset") throw new Error("refused");
    expect(result.definition.dependencies[0]).toMatchObject({ name: "d", mode: "strict" });
  });

  it.each([
    ["an unknown mode", asset({ dependencies: [{ name: "d", assetKey: "t/b", mode: 9 }] }), "wire.unknown_enum"],
    ["a mode that is not set", asset({ dependencies: [{ name: "d", assetKey: "t/b" }] }), "wire.unknown_enum"],
    ["partitions of no kind", asset({ partitions: {} }), "wire.missing_field"],
    [
      "dimensions in a dimension",
      asset({ partitions: dimensions({ kind: { $case: "multi", value: { dimensions: [] } } }) }),
      "wire.out_of_range",
    ],
    ["a dimension without partitions", asset({ partitions: dimensions(undefined) }), "wire.missing_field"],
    [
      "a mapping of no kind",
      asset({ dependencies: [{ name: "d", assetKey: "t/b", mode: 1, mapping: {} }] }),
      "wire.missing_field",
    ],
    ["a batch of no partitions", asset({ partitions: months, batch: { partitionsMax: 0 } }), "wire.out_of_range"],
    ["a batch of too many", asset({ partitions: months, batch: { partitionsMax: 401 } }), "wire.out_of_range"],
    ["a batch of what has no partitions", asset({ batch: { partitionsMax: 2 } }), "wire.out_of_range"],
    [
      "a batch of an output",
      asset({ partitions: months, batch: { partitionsMax: 2 }, multi: { outputs: ["t/a"] } }),
      "wire.out_of_range",
    ],
    [
      "a batch of what reads itself",
      asset({
        partitions: months,
        batch: { partitionsMax: 2 },
        dependencies: [{ name: "d", assetKey: "t/a", mode: 1 }],
      }),
      "wire.out_of_range",
    ],
    ["an automation of no kind", asset({ automation: {} }), "wire.missing_field"],
    ["a part of an automation that is not set", asset({ automation: negated(1, {}) }), "wire.missing_field"],
    ["an unknown operand", asset({ automation: { kind: operand(99) } }), "wire.unknown_enum"],
    ["an automation 21 deep", asset({ automation: negated(20, { kind: operand(1) }) }), "wire.too_large"],
    [
      "an automation of 201 parts",
      asset({ automation: { kind: { $case: "anyOf", value: { of: Array(200).fill({ kind: operand(1) }) } } } }),
      "wire.too_large",
    ],
    ["no time window", asset({ automation: { kind: { $case: "inLatestTimeWindow", value: 0 } } }), "wire.out_of_range"],
    ["an unknown backoff", asset({ retry: { maxRetries: 1, backoff: 8 } }), "wire.unknown_enum"],
    ["a jitter beyond 1", asset({ retry: { backoff: 1, jitter: 1.5 } }), "wire.out_of_range"],
    ["a key that is none", asset({ key: "T A" }), "wire.invalid_text"],
    ["no code version", asset({ codeVersion: "" }), "wire.missing_field"],
    ["a schema that is no JSON", asset({ configSchema: "{" }), "wire.invalid_text"],
    ["a timeout of a month", asset({ timeoutMs: 2_678_400_000 }), "wire.out_of_range"],
    [
      "a check of version 0",
      encoded({ definition: { $case: "check", value: { assetKey: "t/a", name: "c" } } }),
      "wire.out_of_range",
    ],
    ["neither asset nor check", encoded({}), "wire.missing_field"],
    ["bytes that are no message", Buffer.from([0x0a, 0x7f]), "wire.unreadable"],
  ])("refuses %s, as that definition's error", (_, bytes, code) => {
    const result = decodeDefinition(bytes);
    expect(result.ok ? "read" : result.error.code).toBe(code);
    if (!result.ok) expect(result.error.hint).not.toBe("");
  });
});
