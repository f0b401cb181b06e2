import { Definition, ScheduleDefinition } from "@headgate/proto";
import { expect, test } from "vitest";
import { decodeDefinition, decodeManifestEntry } from "../../control-plane/src/grpc/decode-definition.ts";

type Partial = Parameters<typeof ScheduleDefinition.fromPartial>[0];

const decode = (more: Partial) => {
  const base = { name: "shop/s", crons: ["0 2 * * *"], timezone: "UTC", selection: "shop/*", catchUpMax: 1 };
  const value = ScheduleDefinition.fromPartial({ ...base, ...more });
  return decodeDefinition(Definition.encode({ definition: { $case: "schedule", value } }).finish());
};

test("a schedule is read as it was sent, cleaned of what cannot be stored", () => {
  const source = { file: "automation.ts", line: 3 };
  const config = '{"shop/x":{"limit":5}}';
  expect(
    decode({ description: "at\u0000 night", config, tags: { a: "1" }, priority: -5, startsOff: true, source }),
  ).toEqual({
    ok: true,
    definition: {
      kind: "schedule",
      name: "shop/s",
      description: "at night",
      crons: ["0 2 * * *"],
      timezone: "UTC",
      selection: "shop/*",
      partitioned: false,
      config: { "shop/x": { limit: 5 } },
      tags: { a: "1" },
      priority: -5,
      catchUpMax: 1,
      startsOff: true,
      source,
    },
  });
  expect(decodeManifestEntry({ kind: 4, key: "shop/s", hash: "a".repeat(64), error: undefined })).toMatchObject({
    kind: "schedule",
  });
});

const wrong: readonly (readonly [string, Partial, string])[] = [
  ["a name that is none", { name: "shop" }, "the schedule's name"],
  ["no zone", { timezone: "" }, "timezone"],
  ["no selection", { selection: "" }, "selection"],
  ["too many crons", { crons: Array<string>(51).fill("0 2 * * *") }, "crons"],
  ["a cron of a megabyte", { crons: ["0".repeat(1_000_000)] }, "a cron"],
  ["a priority out of bounds", { priority: 1_001 }, "priority"],
  ["more missed ticks than anybody wants", { catchUpMax: 1_001 }, "catch_up_max"],
  ["a config that is no JSON", { config: "{" }, "config"],
  ["a config that is no object of objects", { config: '{"shop/x":5}' }, "config"],
];

test.each(wrong)("a schedule with %s is refused by itself, with its place", (_, more, said) => {
  const decoded = decode({ ...more, source: { file: "automation.ts", line: 3 } });
  expect(decoded).toMatchObject({ ok: false, error: { source: { file: "automation.ts", line: 3 } } });
  expect(decoded.ok ? "" : decoded.error.message).toContain(said);
});
