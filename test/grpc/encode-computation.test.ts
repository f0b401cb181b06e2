import { expect, test } from "vitest";
import type { CommandInput, StepCommand } from "../../control-plane/src/domain/attempt-report.ts";
import { encodeComputation } from "../../control-plane/src/grpc/encode.ts";

const input = (name: string, versionIds: readonly string[], leftOut: readonly string[] = []): CommandInput => ({
  name,
  asset: `a/${name}`,
  mode: "strict",
  versions: versionIds.map((versionId) => ({ versionId, partition: "", value: null, dataVersion: "1", metadata: [] })),
  leftOut,
  single: false,
});

const member = (partition: string, inputs: readonly CommandInput[]): StepCommand => ({
  attemptId: partition,
  runId: "run",
  epoch: 1,
  attemptNumber: 1,
  asset: "a/batch",
  partition,
  timeoutMs: 1,
  leaseMs: 1,
  tags: {},
  work: { kind: "materialize", versionId: `v${partition}`, inputs, checks: [] },
});

/** By member, the inputs that go out with it; under "" those that go out once. */
function sent(members: readonly StepCommand[]): Record<string, string[]> {
  const { members: encoded, inputs } = encodeComputation({ computationId: "1", members });
  const text = ({ name, versions }: (typeof inputs)[number]): string =>
    `${name} ${versions.map(({ versionId }) => versionId).join("+")}`;
  const own = encoded.map(({ attemptId, work }) => {
    return [attemptId, work?.$case === "materialize" ? work.value.inputs.map(text) : []] as const;
  });
  return { "": inputs.map(text), ...Object.fromEntries(own) };
}

test("what all members of a computation read goes out once, and what one of them reads goes out with it", () => {
  const rates = input("rates", ["r1"]);
  expect(sent([member("1", [input("raw", ["a1"]), rates]), member("2", [input("raw", ["a2"]), rates])])).toEqual({
    "": ["rates r1"],
    "1": ["raw a1"],
    "2": ["raw a2"],
  });
  // Outputs of one multi-asset read the same.
  const both = [input("raw", ["a1", "a2"]), rates];
  expect(sent([member("1", both), member("2", both)])).toEqual({ "": ["raw a1+a2", "rates r1"], "1": [], "2": [] });
});

test("inputs that only begin alike, that leave out other partitions, or that one member lacks are not taken for the same", () => {
  expect(sent([member("1", [input("raw", ["a1"])]), member("2", [input("raw", ["a1", "a2"])])])[""]).toEqual([]);
  expect(sent([member("1", [input("raw", ["a1"], ["x"])]), member("2", [input("raw", ["a1"])])])[""]).toEqual([]);
  expect(sent([member("1", [input("raw", ["a1"])]), member("2", [])])).toEqual({ "": [], "1": ["raw a1"], "2": [] });
});
